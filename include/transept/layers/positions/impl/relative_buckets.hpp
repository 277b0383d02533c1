// The buckets of distances, and what is read from and written to their table
// (layers/positions/relative_buckets.hpp).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include <transept/layers/positions/relative_buckets.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION std::size_t relative_buckets::bucket_of(std::ptrdiff_t distance) const {
  const std::size_t count = bidirectional ? buckets / 2 : buckets, exact = count / 2;
  const std::size_t first = bidirectional && distance > 0 ? count : 0;
  const std::ptrdiff_t size = bidirectional ? std::abs(distance) : std::max<std::ptrdiff_t>(-distance, 0);
  const auto n = static_cast<std::size_t>(size);
  if (n < exact) return first + n;
  const auto f32 = [](auto value) { return static_cast<float>(value); };
  const float stretch = f32(std::log(static_cast<double>(f32(n) / f32(exact))));
  const float whole = f32(std::log(static_cast<double>(max_distance) / static_cast<double>(exact)));
  const float beyond = stretch / whole * f32(count - exact);
  return first + (beyond < f32(count - exact) ? exact + static_cast<std::size_t>(beyond) : count - 1);
}

TRANSEPT_FUNCTION void fill_relative_buckets(const relative_buckets& how, const float* table,
                                             std::size_t heads, std::ptrdiff_t first, std::ptrdiff_t last,
                                             float* at_zero, std::size_t head_stride) {
  for (std::ptrdiff_t d = first; d <= last; ++d) {
    const float* const of_bucket = table + how.bucket_of(d) * heads;
    for (std::size_t h = 0; h < heads; ++h)
      *(at_zero + static_cast<std::ptrdiff_t>(h * head_stride) + d) = of_bucket[h];
  }
}

TRANSEPT_FUNCTION void relative_buckets_backward(const relative_buckets& how, const float* dat_zero,
                                                 std::size_t heads, std::ptrdiff_t first, std::ptrdiff_t last,
                                                 std::size_t head_stride, float* dtable) {
  for (std::ptrdiff_t d = first; d <= last; ++d) {
    float* const of_bucket = dtable + how.bucket_of(d) * heads;
    for (std::size_t h = 0; h < heads; ++h)
      of_bucket[h] += *(dat_zero + static_cast<std::ptrdiff_t>(h * head_stride) + d);
  }
}

} // namespace transept::inline TRANSEPT_ABI
