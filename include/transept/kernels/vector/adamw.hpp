// AdamW and sums of squares (kernels/adamw.hpp).
#pragma once

#include <algorithm>
#include <cstddef>

#include <transept/kernels/adamw.hpp>
#include <transept/simd/batch.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

TRANSEPT_FUNCTION void adamw(const adamw_factors& step, float keep, std::size_t begin, std::size_t end,
                             float* p, float* g, float* m, float* v) {
  using simd::broadcast, simd::fma;
  const simd::batch scale = broadcast(step.gradient_scale), rate = broadcast(-step.rate);
  const simd::batch beta_1 = broadcast(step.beta_1), rest_1 = broadcast(1.0f - step.beta_1);
  const simd::batch beta_2 = broadcast(step.beta_2), rest_2 = broadcast(1.0f - step.beta_2);
  for (std::size_t i = begin; i < end; i += simd::width) {
    const std::size_t lanes = std::min(simd::width, end - i);
    const simd::batch gradient = simd::load_lanes(g + i, lanes) * scale;
    const simd::batch first = fma(beta_1, simd::load_lanes(m + i, lanes), rest_1 * gradient);
    const simd::batch second = fma(beta_2, simd::load_lanes(v + i, lanes), rest_2 * gradient * gradient);
    const simd::batch root = fma(simd::sqrt(second), broadcast(step.root_scale), broadcast(step.epsilon));
    const simd::batch kept = simd::load_lanes(p + i, lanes) * broadcast(keep);
    simd::store_lanes(m + i, first, lanes);
    simd::store_lanes(v + i, second, lanes);
    simd::store_lanes(p + i, fma(rate, first / root, kept), lanes);
    simd::store_lanes(g + i, broadcast(0.0f), lanes);
  }
}

TRANSEPT_FUNCTION double sum_of_squares(const float* x, std::size_t count) {
  constexpr std::size_t run = 16 * simd::width;
  double total = 0;
  for (std::size_t i = 0; i < count; i += run) {
    const std::size_t end = std::min(count, i + run);
    simd::batch partial = simd::broadcast(0.0f);
    for (std::size_t j = i; j < end; j += simd::width) {
      const simd::batch value = simd::load_lanes(x + j, std::min(simd::width, count - j));
      partial = simd::fma(value, value, partial);
    }
    total += static_cast<double>(simd::sum(partial));
  }
  return total;
}

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA
