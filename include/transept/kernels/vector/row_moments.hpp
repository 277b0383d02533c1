// Sums over a row, and what norms need of them.
#pragma once

#include <cmath>
#include <cstddef>

#include <transept/simd/batch.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA::detail {

/// Σ f(x[i]) in `width` interleaved partial sums; the padding of the tail is kept out by `count`.
template <class F>
float sum_of(const float* x, std::size_t count, F f) {
  simd::batch partial = simd::broadcast(0.0f);
  std::size_t i = 0;
  for (; i + simd::width <= count; i += simd::width) partial += f(simd::load(x + i));
  float rest = simd::sum(partial);
  if (i < count) {
    alignas(64) float lanes[simd::width];
    f(simd::load_partial(x + i, count - i)).store_aligned(lanes);
    for (std::size_t lane = 0; lane < count - i; ++lane) rest += lanes[lane];
  }
  return rest;
}

struct row_moments {
  float mean, scale; ///< scale = 1 / √(variance + ε)
};

inline row_moments moments_of(const float* x, std::size_t count, float epsilon) {
  const auto n = static_cast<float>(count);
  const float average = sum_of(x, count, [](simd::batch v) { return v; }) / n;
  const simd::batch mean = simd::broadcast(average);
  const float variance = sum_of(x, count, [mean](simd::batch v) { return (v - mean) * (v - mean); }) / n;
  return {average, 1.0f / std::sqrt(variance + epsilon)};
}

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA::detail
