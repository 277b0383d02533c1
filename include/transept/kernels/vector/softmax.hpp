// What kernels/softmax.hpp declares, computed by vectors.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include <transept/kernels/softmax.hpp>
#include <transept/simd/math.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

TRANSEPT_FUNCTION float greatest(const float* x, std::size_t count) {
  float result = -std::numeric_limits<float>::infinity();
  std::size_t i = 0;
  if (count >= simd::width) {
    simd::batch most = simd::load(x);
    for (i = simd::width; i + simd::width <= count; i += simd::width)
      most = simd::max(most, simd::load(x + i));
    result = simd::greatest(most);
  }
  for (; i < count; ++i) result = x[i] > result ? x[i] : result;
  return result;
}

TRANSEPT_FUNCTION void softmax(float* x, std::size_t count) {
  const simd::batch most = simd::broadcast(greatest(x, count));
  float total = 0.0f;
  std::size_t i = 0;
  simd::batch partial = simd::broadcast(0.0f);
  for (; i + simd::width <= count; i += simd::width) {
    const simd::batch e = simd::exp(simd::load(x + i) - most);
    simd::store(x + i, e);
    partial += e;
  }
  total = simd::sum(partial);
  if (i < count) {
    simd::store_partial(x + i, simd::exp(simd::load_partial(x + i, count - i) - most), count - i);
    for (std::size_t j = i; j < count; ++j) total += x[j];
  }
  const simd::batch scale = simd::broadcast(1.0f / total);
  for (i = 0; i + simd::width <= count; i += simd::width) simd::store(x + i, simd::load(x + i) * scale);
  if (i < count) simd::store_partial(x + i, simd::load_partial(x + i, count - i) * scale, count - i);
}

TRANSEPT_FUNCTION double log_sum_exp(const float* x, std::size_t count) {
  const float most = greatest(x, count);
  const simd::batch shift = simd::broadcast(most);
  double total = 0;
  std::size_t i = 0;
  while (i < count) {
    simd::batch partial = simd::broadcast(0.0f); // short runs of f32 sums, added up in double
    const std::size_t end = i + 64 * simd::width;
    for (; i + simd::width <= count && i < end; i += simd::width)
      partial += simd::exp(simd::load(x + i) - shift);
    total += static_cast<double>(simd::sum(partial));
    if (i < count && i + simd::width > count) {
      alignas(64) float lanes[simd::width];
      simd::exp(simd::load_partial(x + i, count - i) - shift).store_aligned(lanes);
      for (std::size_t lane = 0; i < count; ++i, ++lane) total += static_cast<double>(lanes[lane]);
    }
  }
  return static_cast<double>(most) + std::log(total);
}

TRANSEPT_FUNCTION void exponentials(float* x, std::size_t count) {
  for (std::size_t i = 0; i < count; i += simd::width) {
    const std::size_t lanes = std::min(simd::width, count - i);
    simd::store_lanes(x + i, simd::exp(simd::load_lanes(x + i, lanes)), lanes);
  }
}

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA
