// A few rows of activations times stored weights, as a batch of texts has them: still bound by memory, so, as
// for one row, the weights are read once, from where they lie, and every row takes what it needs of them as
// they pass. (To pack them into blocks, as for many rows, would cost more than the products.)
#pragma once

#include <algorithm>
#include <cstddef>

#include <transept/kernels/vector/matmul_many_rows.hpp>
#include <transept/kernels/vector/matmul_one_row.hpp>
#include <transept/kernels/vector/operands.hpp>
#include <transept/kernels/vector/prefetch.hpp>
#include <transept/simd/batch.hpp>
#include <transept/simd/unroll.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA::detail {

/// Sums of all rows that are kept in the first-level cache together: 16 KiB.
inline constexpr std::size_t few_rows_sums = 4096;
/// Rows of weights read at once.
inline constexpr std::size_t few_rows_streams = 4;

/// sums[r, j] += Σᵢ x[r, i] · w[i, j], i ascending, j in [0, count). x [rows, Inner]; rows of w lie `stride`
/// apart, rows of sums `sums_stride`. The rows of w `ahead` elements further on are prefetched.
template <std::size_t Inner, class T>
void add_products(const float* x, std::size_t rows, const T* w, std::size_t stride, std::size_t ahead,
                  float* sums, std::size_t sums_stride, std::size_t count) {
  constexpr std::size_t width = simd::width;
  std::size_t j = 0;
  for (; j + 2 * width <= count; j += 2 * width) {
    simd::batch left[Inner], right[Inner]; // held; sums and activations pass by
    simd::unroll<Inner>([&](auto i) {
      const T* const from = w + i * stride + j;
      prefetch(from, ahead);
      if constexpr (width * sizeof(T) >= 64) prefetch(from, ahead + width); // of another cache line
      left[i] = simd::load(from);
      right[i] = simd::load(from + width);
    });
    for (std::size_t r = 0; r < rows; ++r) {
      float* const to = sums + r * sums_stride + j;
      simd::batch left_sum = simd::load(to);
      simd::batch right_sum = simd::load(to + width);
      simd::unroll<Inner>([&](auto i) {
        const simd::batch value = simd::broadcast(x[r * Inner + i]);
        left_sum = simd::fma(value, left[i], left_sum);
        right_sum = simd::fma(value, right[i], right_sum);
      });
      simd::store(to, left_sum);
      simd::store(to + width, right_sum);
    }
  }
  for (; j < count; j += width) {
    const std::size_t lanes = std::min(width, count - j);
    simd::batch weights[Inner];
    simd::unroll<Inner>([&](auto i) { weights[i] = simd::load_partial(w + i * stride + j, lanes); });
    for (std::size_t r = 0; r < rows; ++r) {
      float* const to = sums + r * sums_stride + j;
      simd::batch sum = simd::load_partial(to, lanes);
      simd::unroll<Inner>(
          [&](auto i) { sum = simd::fma(simd::broadcast(x[r * Inner + i]), weights[i], sum); });
      simd::store_partial(to, sum, lanes);
    }
  }
}

/// y[r, n] = epilogue(Σₖ x[r, k] · w[k, n]) for n in [begin, end); w [inner, outputs]. Fewer rows than
/// `MostRows`.
template <std::size_t MostRows, class T>
void matmul_few_rows(rows_of_floats x, const T* w, std::size_t outputs, std::size_t begin, std::size_t end,
                     float* y, const epilogue& finish) {
  constexpr std::size_t together = few_rows_streams;
  static_assert(few_rows_sums / MostRows >= 2 * simd::width);
  const std::size_t at_once = few_rows_sums / x.rows / (2 * simd::width) * (2 * simd::width); // outputs
  alignas(64) float sums[few_rows_sums]; // [rows, at_once]
  // What add_products takes of x, side by side: rows of x may all lie at one place of the cache.
  float values[MostRows * together];
  const auto gather = [&](std::size_t k, std::size_t count) {
    for (std::size_t r = 0; r < x.rows; ++r) std::copy_n(x.row(r) + k, count, values + r * count);
  };
  for (std::size_t n = begin; n < end; n += at_once) {
    const std::size_t count = std::min(at_once, end - n);
    std::fill_n(sums, x.rows * at_once, 0.0f);
    std::size_t k = 0;
    for (; k + together <= x.cols; k += together) {
      gather(k, together);
      add_products<together>(values, x.rows, w + k * outputs + n, outputs, together * outputs, sums, at_once,
                             count);
    }
    for (; k < x.cols; ++k) {
      gather(k, 1);
      add_products<1>(values, x.rows, w + k * outputs + n, outputs, 0, sums, at_once, count);
    }
    for (std::size_t r = 0; r < x.rows; ++r) {
      const float* const from = sums + r * at_once;
      float* const to = y + r * outputs + n;
      std::size_t j = 0;
      for (; j + simd::width <= count; j += simd::width)
        store_outputs(finish, simd::load(from + j), to + j, n + j);
      if (j < count) store_outputs(finish, simd::load_partial(from + j, count - j), to + j, n + j, count - j);
      activate_outputs(finish, to, count);
    }
  }
}

/// y[r, n] = epilogue(Σₖ x[r, k] · w[n, k]) for n in [begin, end); w [outputs, inner].
template <class T>
void matmul_transposed_few_rows(rows_of_floats x, const T* w, std::size_t outputs, std::size_t begin,
                                std::size_t end, float* y, const epilogue& finish) {
  const std::size_t inner = x.cols;
  // A group of weights is fetched while the one before it is multiplied, a part for each tile of x.
  const std::size_t tiles = (x.rows + dot_rows_x - 1) / dot_rows_x;
  const std::size_t part = (dot_rows_w * inner + tiles - 1) / tiles;
  constexpr std::size_t line = cache_line / sizeof(T);
  for (std::size_t n = begin; n < end; n += dot_rows_w) {
    const T* const weights = w + n * inner;
    for (std::size_t tile = 0; tile < tiles; ++tile) {
      for (std::size_t i = 0; i < part; i += line) prefetch(weights, dot_rows_w * inner + tile * part + i);
      const std::size_t first = tile * dot_rows_x;
      simd::in_tiles<dot_rows_x>(std::min(dot_rows_x, x.rows - first), [&](std::size_t i, auto x_rows) {
        simd::in_tiles<dot_rows_w>(std::min(dot_rows_w, end - n), [&](std::size_t j, auto w_rows) {
          dot_tile<x_rows, w_rows>(x.row(first + i), weights + j * inner, inner, y + (first + i) * outputs,
                                   outputs, n + j, finish);
        });
      });
    }
  }
  activate_outputs(finish, y + begin, x.rows, outputs, end - begin);
}

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA::detail
