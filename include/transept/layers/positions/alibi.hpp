// Attention with linear biases (Press, Smith & Lewis 2022): head h adds to a score
//
//   slopeₕ · (key − query),   slopeₕ = 2^(−8 (h + 1) / heads)
//
// where the number of heads is a power of two; else the slopes of the power below, and then every other one
// of the power above, as in the paper's code.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <span>

#include <transept/core/version.hpp>

namespace transept::inline TRANSEPT_ABI {

/// The slope of one of any number of heads. most: the paper's 8, MPT's alibi_bias_max.
inline float alibi_slope(std::size_t head, std::size_t heads, double most = 8.0) {
  const std::size_t below = std::bit_floor(heads);
  const bool is_below = head < below;
  const auto step = static_cast<double>(is_below ? head + 1 : 2 * (head - below) + 1);
  return static_cast<float>(std::exp2(-most * step / static_cast<double>(is_below ? below : 2 * below)));
}

/// All heads' slopes.
inline void fill_alibi_slopes(std::span<float> slopes, double most = 8.0) {
  for (std::size_t h = 0; h < slopes.size(); ++h) slopes[h] = alibi_slope(h, slopes.size(), most);
}

/// What every head adds for key − query = −(span − 1), …, 0: at_zero[h · head_stride + key − query], at_zero
/// being head 0's number for a query's own position.
inline void fill_alibi(std::span<const float> slopes, std::size_t span, float* at_zero,
                       std::size_t head_stride) {
  for (std::size_t h = 0; h < slopes.size(); ++h) {
    const auto last = at_zero + h * head_stride;
    for (std::size_t back = 0; back < span; ++back) *(last - back) = slopes[h] * -static_cast<float>(back);
  }
}

} // namespace transept::inline TRANSEPT_ABI
