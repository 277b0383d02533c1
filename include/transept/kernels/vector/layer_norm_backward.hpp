// Gradients of layer normalisation: with x̂ = (x − mean) / √(variance + ε) and g = dy · weight, row by row,
//
//   dx = (g − mean(g) − x̂ · mean(g · x̂)) / √(variance + ε)
//   dweight = Σ_rows dy · x̂,   dbias = Σ_rows dy
//
// Mean and variance are computed again from x.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

#include <transept/kernels/layer_norm.hpp>
#include <transept/kernels/vector/column_sums.hpp>
#include <transept/kernels/vector/operands.hpp>
#include <transept/kernels/vector/row_moments.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

namespace detail {

/// dx += the gradient of one row's norm; returns the row's moments.
inline row_moments layer_norm_row_backward(const float* x, std::size_t count, optional_vector weight,
                                           float epsilon, const float* dy, float* dx) {
  const auto n = static_cast<float>(count);
  const row_moments moments = moments_of(x, count, epsilon);
  const simd::batch mean = simd::broadcast(moments.mean), scale = simd::broadcast(moments.scale);
  simd::batch sum = simd::broadcast(0.0f), product_sum = simd::broadcast(0.0f); // of g, of g · x̂
  const auto load = [count](const float* from, std::size_t i) {
    return simd::load_lanes(from + i, std::min(simd::width, count - i));
  };
  for (std::size_t i = 0; i < count; i += simd::width) { // beyond the row g is 0
    const simd::batch g = load(dy, i) * weight.at(i, std::min(simd::width, count - i));
    sum += g;
    product_sum = simd::fma(g, (load(x, i) - mean) * scale, product_sum);
  }
  const simd::batch mean_g = simd::broadcast(simd::sum(sum) / n);
  const simd::batch mean_product = simd::broadcast(simd::sum(product_sum) / n);
  for (std::size_t i = 0; i < count; i += simd::width) {
    const simd::batch normed = (load(x, i) - mean) * scale;
    const simd::batch g = load(dy, i) * weight.at(i, std::min(simd::width, count - i));
    const simd::batch result = simd::fma(scale, g - mean_g - normed * mean_product, load(dx, i));
    simd::store_lanes(dx + i, result, std::min(simd::width, count - i));
  }
  return moments;
}

} // namespace detail

TRANSEPT_FUNCTION void layer_norm_backward(compute_context& context, rows_of_floats x, const float* weight,
                                           float epsilon, const float* dy, float* dx, float* dweight,
                                           float* dbias) {
  workspace::scope scope(context.memory);
  float* const means = scope.floats(x.rows);
  float* const scales = scope.floats(x.rows);
  parallel_for(context.threads, x.rows, 4, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t r = begin; r < end; ++r) {
      const auto moments = detail::layer_norm_row_backward(x.row(r), x.cols, {weight, 1.0f}, epsilon,
                                                           dy + r * x.cols, dx + r * x.cols);
      means[r] = moments.mean;
      scales[r] = moments.scale;
    }
  });
  if (!dweight) {
    if (dbias) add_column_sums(context, x.rows, x.cols, dy, dbias);
    return;
  }
  const auto add_weight = [&](std::size_t r, std::size_t i, auto lanes, simd::batch d,
                              simd::batch& total) TRANSEPT_ALWAYS_INLINE {
    const simd::batch value = simd::load_lanes(x.row(r) + i, lanes);
    const simd::batch normed = (value - simd::broadcast(means[r])) * simd::broadcast(scales[r]);
    total = simd::fma(d, normed, total);
  };
  if (dbias)
    add_over_rows<2>(context, x.rows, x.cols, {dbias, dweight},
                     [&](std::size_t r, std::size_t i, auto lanes, auto& totals) TRANSEPT_ALWAYS_INLINE {
                       const simd::batch d = simd::load_lanes(dy + r * x.cols + i, lanes);
                       totals[0] += d;
                       add_weight(r, i, lanes, d, totals[1]);
                     });
  else
    add_over_rows<1>(context, x.rows, x.cols, {dweight},
                     [&](std::size_t r, std::size_t i, auto lanes, auto& totals) TRANSEPT_ALWAYS_INLINE {
                       add_weight(r, i, lanes, simd::load_lanes(dy + r * x.cols + i, lanes), totals[0]);
                     });
}

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA
