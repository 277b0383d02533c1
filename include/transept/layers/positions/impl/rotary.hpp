// The frequencies of rotary positions, and the angles (layers/positions/rotary.hpp).
#pragma once

#include <algorithm>
#include <cmath>
#include <utility>

#include <transept/layers/positions/impl/rotary_frequencies.hpp>
#include <transept/layers/positions/rotary.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION rotary_embedding::rotary_embedding(rotary_settings settings)
    : settings_(std::move(settings)) {
  detail::check(settings_);
  for (std::size_t i = 0; i < pairs(); ++i) frequencies_.push_back(frequency(i, settings_.short_factor));
  if (settings_.scaling == rotary_scaling::longrope)
    for (std::size_t i = 0; i < pairs(); ++i) long_.push_back(frequency(i, settings_.long_factor));
  attention_factor_ = static_cast<float>(detail::rotary_attention_factor(settings_));
}

TRANSEPT_FUNCTION void rotary_embedding::inverse_frequencies(std::size_t run_length, std::size_t first,
                                                             std::size_t count, float* out) const {
  if (settings_.scaling == rotary_scaling::dynamic && run_length > settings_.max_position_embeddings) {
    const double base = detail::dynamic_base(settings_, run_length);
    for (std::size_t i = 0; i < count; ++i)
      out[i] = static_cast<float>(1 / detail::rotary_wave(base, first + i, settings_.exponents()));
    return;
  }
  const bool is_long = !long_.empty() && run_length > settings_.original_positions();
  std::copy_n((is_long ? long_ : frequencies_).data() + first, count, out);
}

TRANSEPT_FUNCTION float rotary_embedding::frequency(std::size_t i, const std::vector<float>& factors) const {
  using enum rotary_scaling;
  const double wave = detail::rotary_wave(settings_.base, i, settings_.exponents());
  switch (settings_.scaling) {
  case linear:
    return static_cast<float>(detail::to_f32(1 / wave) / detail::to_f32(settings_.scale()));
  case yarn:
    return static_cast<float>(detail::yarn_frequency(settings_, i));
  case longrope:
    return static_cast<float>(1 / detail::to_f32(static_cast<double>(factors[i]) * wave));
  case llama3:
    return static_cast<float>(detail::llama3_frequency(settings_, i));
  case none:
  case dynamic:
    break;
  }
  return static_cast<float>(1 / wave);
}

TRANSEPT_FUNCTION void rotary_angles(const rotary_embedding& rotary, std::size_t run_length,
                                     function_ref<std::size_t(std::size_t)> position_of, std::size_t rows,
                                     float* angles) {
  constexpr std::size_t most = 32; // pairs at a time, whose frequencies are on the stack
  float frequencies[most];
  const std::size_t pairs = rotary.width() / 2;
  for (std::size_t first = 0; first < pairs; first += most) {
    const std::size_t count = std::min(most, pairs - first);
    rotary.inverse_frequencies(run_length, first, count, frequencies);
    for (std::size_t r = 0; r < rows; ++r) {
      const auto position = static_cast<float>(position_of(r));
      float* const cosines = angles + r * rotary.width() + first;
      float* const sines = cosines + pairs;
      for (std::size_t i = 0; i < count; ++i) {
        const float angle = position * frequencies[i];
        cosines[i] = std::cos(angle) * rotary.attention_factor();
        sines[i] = std::sin(angle) * rotary.attention_factor();
      }
    }
  }
}

} // namespace transept::inline TRANSEPT_ABI
