// Frequencies and factors of every scaling (layers/positions/rotary_frequencies.hpp).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <string>
#include <string_view>

#include <transept/core/error.hpp>
#include <transept/layers/positions/rotary_frequencies.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

TRANSEPT_FUNCTION void check(const rotary_settings& s) {
  const auto require = [&](bool holds, std::string_view what) {
    if (!holds)
      throw config_error("rotary positions (rope_type \"" + std::string(name_of(s.scaling)) +
                         "\"): " + std::string(what));
  };
  require(s.width > 0 && s.width % 2 == 0, "the turned width of a head must be even and positive");
  require(std::isfinite(s.base) && s.base > 0, "rope_theta must be positive");
  if (s.factor) require(std::isfinite(*s.factor) && *s.factor > 0, "factor must be positive");
  using enum rotary_scaling;
  if (s.scaling == linear || s.scaling == dynamic || s.scaling == llama3)
    require(s.factor.has_value(), "factor is missing");
  if (s.scaling == dynamic) {
    require(s.max_position_embeddings > 0, "max_position_embeddings is missing");
    require(s.exponents() > 2, "the turned width of a head must be greater than 2");
  }
  if (s.scaling == yarn || s.scaling == longrope || s.scaling == llama3)
    require(s.original_positions() > 0, "original_max_position_embeddings is missing");
  if ((s.scaling == yarn || s.scaling == longrope) && !s.factor)
    require(s.max_position_embeddings > 0, "factor and max_position_embeddings are missing");
  if (s.scaling == yarn) {
    require(s.base != 1, "rope_theta must not be 1");
    require(s.beta_fast > 0 && s.beta_slow > 0, "beta_fast and beta_slow must be positive");
  }
  if (s.scaling == llama3)
    require(s.low_freq_factor > 0 && s.high_freq_factor > s.low_freq_factor,
            "low_freq_factor must be positive and high_freq_factor greater");
  if (s.scaling == longrope) {
    require(s.short_factor.size() == s.width / 2, "short_factor needs a number for every pair");
    require(s.long_factor.size() == s.width / 2, "long_factor needs a number for every pair");
    require(s.attention_factor || s.scale() <= 1 || s.original_positions() > 1,
            "original_max_position_embeddings must be greater than 1");
  }
}

/// The f32 nearest to a result: every operation below is rounded so, as an f32 tensor's is.
inline double to_f32(double value) { return static_cast<double>(static_cast<float>(value)); }

/// base^(2i / width)
inline double rotary_wave(double base, std::size_t pair, std::size_t width) {
  const double exponent = to_f32(static_cast<double>(2 * pair) / static_cast<double>(width));
  return to_f32(std::pow(to_f32(base), exponent));
}

/// The base of a run longer than max_position_embeddings, whose length is a tensor there.
inline double dynamic_base(const rotary_settings& s, std::size_t run_length) {
  const double length = to_f32(static_cast<double>(run_length));
  const double grown =
      to_f32(to_f32(to_f32(s.scale()) * length) / to_f32(static_cast<double>(s.max_position_embeddings)));
  const auto width = static_cast<double>(s.exponents());
  const double power = to_f32(std::pow(to_f32(grown - to_f32(s.scale() - 1)), to_f32(width / (width - 2))));
  return to_f32(to_f32(s.base) * power);
}

/// The pairs between which yarn's ramp lies.
struct yarn_ramp {
  double first, last;

  explicit yarn_ramp(const rotary_settings& s) {
    const auto width = static_cast<double>(s.exponents());
    const auto pair_of = [&](double turns) { // which turns so often within the first training's length
      const double wavelength = static_cast<double>(s.original_positions()) / (turns * 2 * std::numbers::pi);
      return width * std::log(wavelength) / (2 * std::log(s.base));
    };
    first = pair_of(s.beta_fast);
    last = pair_of(s.beta_slow);
    if (s.truncate) {
      first = std::floor(first);
      last = std::ceil(last);
    }
    first = std::max(first, 0.0);
    last = std::min(last, width - 1);
    if (first == last) last += 0.001;
  }

  /// How far pair i is along it, from 0 to 1.
  double at(std::size_t pair) const {
    const double beyond = to_f32(static_cast<double>(pair) - to_f32(first));
    return std::clamp(to_f32(beyond / to_f32(last - first)), 0.0, 1.0);
  }
};

inline double yarn_frequency(const rotary_settings& s, std::size_t pair) {
  const double wave = rotary_wave(s.base, pair, s.exponents());
  const double interpolated = to_f32(1 / to_f32(to_f32(s.scale()) * wave)), kept = to_f32(1 / wave);
  const double share = to_f32(1 - yarn_ramp(s).at(pair));
  return to_f32(to_f32(interpolated * to_f32(1 - share)) + to_f32(kept * share));
}

inline double llama3_frequency(const rotary_settings& s, std::size_t pair) {
  const double frequency = to_f32(1 / rotary_wave(s.base, pair, s.exponents()));
  const auto original = static_cast<double>(s.original_positions());
  const double factor = to_f32(s.scale());
  const double wavelength = to_f32(to_f32(2 * std::numbers::pi) / frequency);
  if (wavelength < to_f32(original / s.high_freq_factor)) return frequency;
  if (wavelength > to_f32(original / s.low_freq_factor)) return to_f32(frequency / factor);
  const double above = to_f32(to_f32(to_f32(original) / wavelength) - to_f32(s.low_freq_factor));
  const double share = to_f32(above / to_f32(s.high_freq_factor - s.low_freq_factor));
  const double interpolated = to_f32(to_f32(to_f32(1 - share) * frequency) / factor);
  return to_f32(interpolated + to_f32(share * frequency));
}

/// What cosines and sines are multiplied by.
inline double rotary_attention_factor(const rotary_settings& s) {
  const bool scales = s.scaling == rotary_scaling::yarn || s.scaling == rotary_scaling::longrope;
  if (!scales) return 1;
  if (s.attention_factor) return *s.attention_factor;
  const double factor = s.scale();
  if (factor <= 1) return 1;
  if (s.scaling == rotary_scaling::longrope)
    return std::sqrt(1 + std::log(factor) / std::log(static_cast<double>(s.original_positions())));
  const auto magnitude = [&](double scale) { return 0.1 * scale * std::log(factor) + 1; };
  if (s.mscale != 0 && s.mscale_all_dim != 0) return magnitude(s.mscale) / magnitude(s.mscale_all_dim);
  return magnitude(1);
}

} // namespace detail

} // namespace transept::inline TRANSEPT_ABI
