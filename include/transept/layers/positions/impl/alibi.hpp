// The slopes of linear biases, and the biases (layers/positions/alibi.hpp).
#pragma once

#include <bit>
#include <cmath>

#include <transept/layers/positions/alibi.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION float alibi_slope(std::size_t head, std::size_t heads, double most) {
  const std::size_t below = std::bit_floor(heads);
  const bool is_below = head < below;
  const auto step = static_cast<double>(is_below ? head + 1 : 2 * (head - below) + 1);
  return static_cast<float>(std::exp2(-most * step / static_cast<double>(is_below ? below : 2 * below)));
}

TRANSEPT_FUNCTION void fill_alibi_slopes(std::span<float> slopes, double most) {
  for (std::size_t h = 0; h < slopes.size(); ++h) slopes[h] = alibi_slope(h, slopes.size(), most);
}

TRANSEPT_FUNCTION void fill_alibi(std::span<const float> slopes, std::size_t span, float* at_zero,
                                  std::size_t head_stride) {
  for (std::size_t h = 0; h < slopes.size(); ++h) {
    const auto last = at_zero + h * head_stride;
    for (std::size_t back = 0; back < span; ++back) *(last - back) = slopes[h] * -static_cast<float>(back);
  }
}

} // namespace transept::inline TRANSEPT_ABI
