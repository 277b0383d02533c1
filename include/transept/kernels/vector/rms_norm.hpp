// What kernels/rms_norm.hpp declares, computed by vectors.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

#include <transept/kernels/head_rows.hpp>
#include <transept/kernels/rms_norm.hpp>
#include <transept/kernels/vector/column_sums.hpp>
#include <transept/kernels/vector/operands.hpp>
#include <transept/kernels/vector/row_moments.hpp>
#include <transept/kernels/vector/worth_a_thread.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

namespace detail {

/// What a norm multiplies by: weight_offset + weight, or 1 where there is no weight.
struct norm_factor {
  const float* weight; ///< may be null
  float weight_offset;

  simd::batch at(std::size_t i, std::size_t count = simd::width) const {
    if (!weight) return simd::broadcast(1.0f);
    return simd::broadcast(weight_offset) + simd::load_lanes(weight + i, count);
  }
};

/// 1 / √(mean(x²) + ε)
inline float rms_scale(const float* x, std::size_t count, float epsilon) {
  const float squares = sum_of(x, count, [](simd::batch v) { return v * v; });
  return 1.0f / std::sqrt(squares / static_cast<float>(count) + epsilon);
}

inline void rms_norm_row(const float* x, std::size_t count, norm_factor factor, float epsilon, float* y) {
  const simd::batch scale = simd::broadcast(rms_scale(x, count, epsilon));
  std::size_t i = 0;
  for (; i + simd::width <= count; i += simd::width)
    simd::store(y + i, simd::load(x + i) * scale * factor.at(i));
  if (const std::size_t rest = count - i; rest > 0)
    simd::store_partial(y + i, simd::load_partial(x + i, rest) * scale * factor.at(i, rest), rest);
}

/// dx = (before, if not null) + the gradient of one row's norm; dx may be dy.
inline void rms_norm_row_backward(const float* x, std::size_t count, float row_scale, norm_factor factor,
                                  const float* dy, const float* before, float* dx) {
  const simd::batch scale = simd::broadcast(row_scale);
  const optional_vector added{before, 0.0f};
  simd::batch product_sum = simd::broadcast(0.0f);       // of g · x̂
  for (std::size_t i = 0; i < count; i += simd::width) { // beyond the row dy is 0
    const std::size_t lanes = std::min(simd::width, count - i);
    const simd::batch g = simd::load_lanes(dy + i, lanes) * factor.at(i, lanes);
    product_sum = simd::fma(g, simd::load_lanes(x + i, lanes) * scale, product_sum);
  }
  const simd::batch mean_product = simd::broadcast(simd::sum(product_sum) / static_cast<float>(count));
  for (std::size_t i = 0; i < count; i += simd::width) {
    const std::size_t lanes = std::min(simd::width, count - i);
    const simd::batch normed = simd::load_lanes(x + i, lanes) * scale;
    const simd::batch g = simd::load_lanes(dy + i, lanes) * factor.at(i, lanes);
    const simd::batch slope = simd::fma(-normed, mean_product, g);
    simd::store_lanes(dx + i, simd::fma(scale, slope, added.at(i, lanes)), lanes);
  }
}

} // namespace detail

TRANSEPT_FUNCTION void rms_norm(compute_context& context, rows_of_floats x, const float* weight,
                                float weight_offset, float epsilon, float* y) {
  parallel_for(context.threads, x.rows, 4, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t r = begin; r < end; ++r)
      detail::rms_norm_row(x.row(r), x.cols, {weight, weight_offset}, epsilon, y + r * x.cols);
  });
}

TRANSEPT_FUNCTION void rms_norm_backward(compute_context& context, rows_of_floats x, const float* weight,
                                         float weight_offset, float epsilon, const float* dy, float* dx,
                                         float* dweight) {
  workspace::scope scope(context.memory);
  float* const scales = scope.floats(x.rows);
  parallel_for(context.threads, x.rows, 4, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t r = begin; r < end; ++r) {
      scales[r] = detail::rms_scale(x.row(r), x.cols, epsilon);
      detail::rms_norm_row_backward(x.row(r), x.cols, scales[r], {weight, weight_offset}, dy + r * x.cols,
                                    dx + r * x.cols, dx + r * x.cols);
    }
  });
  if (!dweight) return;
  add_over_rows<1>(context, x.rows, x.cols, {dweight},
                   [&](std::size_t r, std::size_t i, auto lanes, auto& totals) TRANSEPT_ALWAYS_INLINE {
                     const simd::batch d = simd::load_lanes(dy + r * x.cols + i, lanes);
                     const simd::batch value = simd::load_lanes(x.row(r) + i, lanes);
                     totals[0] = simd::fma(d, value * simd::broadcast(scales[r]), totals[0]);
                   });
}

TRANSEPT_FUNCTION void rms_norm_heads(compute_context& context, head_rows where, const float* x,
                                      const float* weight, float weight_offset, float epsilon, float* y) {
  parallel_for(context.threads, where.rows * where.heads, detail::worth_a_thread(where.head_width),
               [&](std::size_t begin, std::size_t end, int) {
                 for (std::size_t i = begin; i < end; ++i) {
                   const std::size_t at = where.offset(i / where.heads, i % where.heads);
                   detail::rms_norm_row(x + at, where.head_width, {weight, weight_offset}, epsilon, y + at);
                 }
               });
}

TRANSEPT_FUNCTION void rms_norm_heads_backward(compute_context& context, head_rows where, const float* x,
                                               const float* weight, float weight_offset, float epsilon,
                                               float* dy_to_dx, float* dweight) {
  workspace::scope scope(context.memory);
  const std::size_t count = where.rows * where.heads;
  const auto place_of = [&](std::size_t i) { return where.offset(i / where.heads, i % where.heads); };
  const std::size_t grain = detail::worth_a_thread(2 * where.head_width);
  float* const scales = scope.floats(count);
  parallel_for(context.threads, count, grain, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t i = begin; i < end; ++i)
      scales[i] = detail::rms_scale(x + place_of(i), where.head_width, epsilon);
  });
  if (dweight) // while the gradient of y is still there
    add_over_rows<1>(context, count, where.head_width, {dweight},
                     [&](std::size_t i, std::size_t col, auto lanes, auto& totals) TRANSEPT_ALWAYS_INLINE {
                       const std::size_t at = place_of(i) + col;
                       const simd::batch value = simd::load_lanes(x + at, lanes);
                       totals[0] = simd::fma(simd::load_lanes(dy_to_dx + at, lanes),
                                             value * simd::broadcast(scales[i]), totals[0]);
                     });
  parallel_for(context.threads, count, grain, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t i = begin; i < end; ++i) {
      float* const d = dy_to_dx + place_of(i);
      detail::rms_norm_row_backward(x + place_of(i), where.head_width, scales[i], {weight, weight_offset}, d,
                                    nullptr, d);
    }
  });
}

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA
