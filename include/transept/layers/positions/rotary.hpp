// Rotary positions (Su et al. 2021): the angles that kernels::rotate turns queries and keys by.
//
//   const rotary_embedding rotary({.base = 500000.0, .width = 128});
//   rotary_angles(rotary, run_length, [](std::size_t row) { return row; }, rows, angles);   // [rows, 128]
//   kernels::rotate(context, heads, angles, rotary.width(), rotary.pairing(), queries);
#pragma once

#include <cstddef>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/core/function_ref.hpp>
#include <transept/layers/positions/rotary_frequencies.hpp>

namespace transept::inline TRANSEPT_ABI {

/// The frequencies of a model's rotary positions, computed once. Const functions may be called from several
/// threads at once, and allocate nothing.
class rotary_embedding {
public:
  /// Nothing is rotated.
  rotary_embedding() = default;
  /// Throws config_error where the settings contradict themselves.
  explicit rotary_embedding(rotary_settings settings);

  const rotary_settings& settings() const { return settings_; } ///< what it was made from
  std::size_t width() const { return settings_.width; }         ///< numbers in a row of angles
  rotary_pairing pairing() const { return settings_.pairing; }  ///< which numbers are turned together
  float attention_factor() const { return attention_factor_; }  ///< in cosines and sines

  /// out [count] = the angle per position of pairs first, first + 1, … in a run of that many positions, past
  /// ones included: its length chooses where the scaling is dynamic or longrope.
  void inverse_frequencies(std::size_t run_length, std::size_t first, std::size_t count, float* out) const;

private:
  std::size_t pairs() const { return settings_.width / 2; }

  float frequency(std::size_t i, const std::vector<float>& factors) const;

  rotary_settings settings_;
  std::vector<float> frequencies_, long_;
  float attention_factor_ = 1.0f;
};

/// angles [rows, width]: row r has the cosines of the width / 2 pairs at position position_of(r), a whole
/// number, then their sines. run_length: how many positions the run has with those before it, the greatest
/// position + 1.
TRANSEPT_FUNCTION void rotary_angles(const rotary_embedding& rotary, std::size_t run_length,
                                     function_ref<std::size_t(std::size_t)> position_of, std::size_t rows,
                                     float* angles);

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/layers/positions/impl/rotary.hpp>
#endif
