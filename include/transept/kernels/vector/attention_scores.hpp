// What may happen to attention's scores between q · k and softmax: a soft cap (Gemma 2, Riviere et al. 2024)
// and a bias that depends on the distance between query and key (ALiBi, Press et al. 2022; T5, Raffel et al.
// 2020):
//
//   s(i, j) = cap · tanh(scale · q(i) · k(j) / cap) + b(j − i)
#pragma once

#include <cstddef>

#include <transept/simd/math.hpp>
#include <transept/simd/unroll.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

namespace detail {

/// scores [count] = cap · tanh(scale · scores / cap), or scale · scores without a cap (0), + bias [count],
/// if any. One function for all who need it, whoever's scores come together: the same bits.
TRANSEPT_NOINLINE inline void adjust_scores(float* scores, std::size_t count, float scale, float soft_cap,
                                            const float* bias) {
  const simd::batch cap = simd::broadcast(soft_cap);
  const simd::batch factor = simd::broadcast(soft_cap > 0 ? scale / soft_cap : scale);
  for (std::size_t i = 0; i < count; i += simd::width) {
    const std::size_t lanes = count - i < simd::width ? count - i : simd::width;
    const simd::batch score = simd::load_lanes(scores + i, lanes);
    const simd::batch added = bias ? simd::load_lanes(bias + i, lanes) : simd::broadcast(0.0f);
    simd::store_lanes(scores + i,
                      soft_cap > 0 ? simd::fma(cap, simd::tanh(score * factor), added)
                                   : simd::fma(score, factor, added),
                      lanes);
  }
}

} // namespace detail
} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA
