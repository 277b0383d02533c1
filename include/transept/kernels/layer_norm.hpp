// Layer normalisation (Ba, Kiros & Hinton 2016, eq. 4), over each row:
//
//   y = (x − mean(x)) / √(variance(x) + ε) · weight + bias,   variance with divisor n
//
// A norm may be without weight (1), or without bias (0): a null pointer.
#pragma once

#include <cmath>
#include <cstddef>

#include <transept/kernels/operands.hpp>
#include <transept/runtime/compute_context.hpp>
#include <transept/simd/batch.hpp>

namespace transept::inline TRANSEPT_ABI::kernels {

namespace detail {

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

/// y [rows, cols] = layer norm of each row of x; weight and bias [cols], each may be null. y may be x.
inline void layer_norm(compute_context& context, rows_of_floats x, const float* weight, const float* bias,
                       float epsilon, float* y) {
  parallel_for(context.threads, x.rows, 4, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t r = begin; r < end; ++r)
      detail::layer_norm_row(x.row(r), x.cols, {weight, 1.0f}, {bias, 0.0f}, epsilon, y + r * x.cols);
  });
}

} // namespace transept::inline TRANSEPT_ABI::kernels
