// What kernels/layer_norm.hpp declares, computed by vectors.
#pragma once

#include <cstddef>

#include <transept/kernels/layer_norm.hpp>
#include <transept/kernels/vector/operands.hpp>
#include <transept/kernels/vector/row_moments.hpp>
#include <transept/runtime/compute_context.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

namespace detail {

inline void layer_norm_row(const float* x, std::size_t count, optional_vector weight, optional_vector bias,
                           float epsilon, float* y) {
  const row_moments moments = moments_of(x, count, epsilon);
  const simd::batch mean = simd::broadcast(moments.mean);
  const simd::batch scale = simd::broadcast(moments.scale);
  const auto normalise = [&](simd::batch v, simd::batch w, simd::batch b) {
    return simd::fma((v - mean) * scale, w, b);
  };
  std::size_t i = 0;
  for (; i + simd::width <= count; i += simd::width)
    simd::store(y + i, normalise(simd::load(x + i), weight.at(i), bias.at(i)));
  if (const std::size_t rest = count - i; rest > 0)
    simd::store_partial(
        y + i, normalise(simd::load_partial(x + i, rest), weight.at(i, rest), bias.at(i, rest)), rest);
}

} // namespace detail

TRANSEPT_FUNCTION void layer_norm(compute_context& context, rows_of_floats x, const float* weight,
                                  const float* bias, float epsilon, float* y) {
  parallel_for(context.threads, x.rows, 4, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t r = begin; r < end; ++r)
      detail::layer_norm_row(x.row(r), x.cols, {weight, 1.0f}, {bias, 0.0f}, epsilon, y + r * x.cols);
  });
}

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA
