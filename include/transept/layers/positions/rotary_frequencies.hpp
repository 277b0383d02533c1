// Frequencies of rotary positions (Su et al. 2021): pair i of `width` turned numbers turns by
//
//   θᵢ = base^(−2i / width)
//
// per position, and how models change that to read more than they were first trained on:
//
//   linear    θᵢ / factor                                        position interpolation; Chen et al. 2023
//   dynamic   base grows with the run: base · (factor · length / most − (factor − 1))^(width / (width − 2)),
//             most = max_position_embeddings, where length > most
//   yarn      θᵢ for fast pairs, θᵢ / factor for slow ones, a ramp between; Peng et al. 2023
//   longrope  θᵢ / short_factorᵢ or, in runs longer than the first training's, / long_factorᵢ;
//             Ding et al. 2024
//   llama3    θᵢ for wavelengths below original / high_freq_factor, θᵢ / factor above original /
//             low_freq_factor, in proportion between; Grattafiori et al. 2024
//
// yarn and longrope also multiply cosines and sines by an attention factor. Numbers are rounded to f32 where
// Hugging Face's transformers rounds them, so that a position far along the text turns by the same angle.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/kernels/rotary.hpp>

namespace transept::inline TRANSEPT_ABI {

/// How the frequencies differ from the paper's, as config.json's rope_type calls it ("default": none).
enum class rotary_scaling : std::uint8_t { none, linear, dynamic, yarn, longrope, llama3 };

/// What config.json calls it.
constexpr std::string_view name_of(rotary_scaling scaling) {
  constexpr std::string_view names[] = {"default", "linear", "dynamic", "yarn", "longrope", "llama3"};
  return names[static_cast<std::size_t>(scaling)];
}

/// A model's rotary positions; the names are those of config.json and its rope_parameters.
struct rotary_settings {
  double base = 10000.0; ///< rope_theta
  std::size_t width = 0; ///< how many numbers of a head are turned: its width, or the first part of it
  std::size_t wave_width =
      0; ///< what exponents are divided by; 0: width. (Of a part that is odd: that part.)
  rotary_pairing pairing = rotary_pairing::halves;       ///< which numbers are turned together
  rotary_scaling scaling = rotary_scaling::none;         ///< rope_type
  std::optional<double> factor = std::nullopt;           ///< yarn and longrope: else max / original positions
  std::size_t max_position_embeddings = 0;               ///< of the longest text it is made for; 0: not known
  std::size_t original_max_position_embeddings = 0;      ///< 0: max_position_embeddings
  double low_freq_factor = 1.0, high_freq_factor = 4.0;  ///< llama3
  double beta_fast = 32.0, beta_slow = 1.0;              ///< yarn: turns within the first training's length
  double mscale = 0.0, mscale_all_dim = 0.0;             ///< yarn: of the attention factor, if both are not 0
  bool truncate = true;                                  ///< yarn: the ramp's ends are whole pairs
  std::optional<double> attention_factor = std::nullopt; ///< yarn, longrope: else from the other numbers
  std::vector<float> short_factor = {}, long_factor = {}; ///< longrope [width / 2]

  /// What exponents are divided by.
  std::size_t exponents() const { return wave_width ? wave_width : width; }
  /// The length of the first training.
  std::size_t original_positions() const {
    return original_max_position_embeddings ? original_max_position_embeddings : max_position_embeddings;
  }
  /// `factor`, or what stands for it.
  double scale() const {
    return factor ? *factor
                  : static_cast<double>(max_position_embeddings) / static_cast<double>(original_positions());
  }

  friend bool operator==(const rotary_settings&, const rotary_settings&) = default;
};

namespace detail {

/// Throws config_error where the settings lack what their scaling needs.
TRANSEPT_FUNCTION void check(const rotary_settings& s);

} // namespace detail

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/layers/positions/impl/rotary_frequencies.hpp>
#endif
