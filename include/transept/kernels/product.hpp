// Product of two f32 matrices, either of which may lie transposed: what gradients are made of.
//
//   y[r, n] (+)= Σₖ a[r, k] · b[k, n]
//
// Both operands are packed into blocks that fit the caches, then multiplied a register tile at a time (Goto &
// van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008). An output is summed in blocks of
// product_inner products, k ascending in each, whatever the number of threads.
#pragma once

#include <algorithm>
#include <cstddef>

#include <transept/kernels/matmul_many_rows.hpp>
#include <transept/runtime/compute_context.hpp>
#include <transept/simd/batch.hpp>
#include <transept/simd/unroll.hpp>

namespace transept::inline TRANSEPT_ABI::kernels {

/// A matrix called [rows, cols]: rows `stride` apart, or, if `transposed`, columns.
struct float_matrix {
  const float* data;
  std::size_t stride;
  bool transposed = false;

  const float* at(std::size_t row, std::size_t col) const {
    return transposed ? data + col * stride + row : data + row * stride + col;
  }
};

/// The same memory, called [cols, rows].
constexpr float_matrix transposed(float_matrix m) { return {m.data, m.stride, !m.transposed}; }

struct product_shape {
  std::size_t rows, inner, cols;
};

namespace detail {

// Blocks: of a [product_rows, product_inner] per thread, in the second-level cache; of b
// [product_inner, product_cols] for all threads, in the last.
inline constexpr std::size_t product_inner = 256;
inline constexpr std::size_t product_rows = 120;
inline constexpr std::size_t product_cols = 4096;
static_assert(product_rows % tile_rows == 0 && product_cols % tile_cols == 0);

constexpr std::size_t rounded_up(std::size_t n, std::size_t unit) { return (n + unit - 1) / unit * unit; }

/// packed [inner][Lanes] = m[k0 + k, n0 + lane] for `lanes` lanes, the others 0.
template <std::size_t Lanes>
void pack_strip(float_matrix m, std::size_t k0, std::size_t inner, std::size_t n0, std::size_t lanes,
                float* packed) {
  if (lanes < Lanes) std::fill_n(packed, inner * Lanes, 0.0f);
  const float* const from = m.at(k0, n0);
  if (m.transposed) {
    for (std::size_t lane = 0; lane < lanes; ++lane)
      for (std::size_t k = 0; k < inner; ++k) packed[k * Lanes + lane] = from[lane * m.stride + k];
  } else if (lanes == Lanes) {
    for (std::size_t k = 0; k < inner; ++k) std::copy_n(from + k * m.stride, Lanes, packed + k * Lanes);
  } else {
    for (std::size_t k = 0; k < inner; ++k) std::copy_n(from + k * m.stride, lanes, packed + k * Lanes);
  }
}

/// y [tile_rows, tile_cols], or the part of it that exists, (+)= a [inner][tile_rows] · b [inner][tile_cols].
inline void product_tile(const float* a, const float* b, std::size_t inner, float* y, std::size_t stride,
                         std::size_t rows, std::size_t cols, bool add) {
  constexpr std::size_t width = simd::width;
  simd::batch left[tile_rows], right[tile_rows];
  simd::unroll<tile_rows>([&](auto r) TRANSEPT_ALWAYS_INLINE {
    left[r] = right[r] = simd::broadcast(0.0f);
    if (add) __builtin_prefetch(y + std::min<std::size_t>(r, rows - 1) * stride);
  });
  for (std::size_t k = 0; k < inner; ++k, a += tile_rows, b += tile_cols) {
    const simd::batch b_left = simd::load(b);
    const simd::batch b_right = simd::load(b + width);
    simd::unroll<tile_rows>([&](auto r) TRANSEPT_ALWAYS_INLINE {
      const simd::batch value = simd::broadcast(a[r]);
      left[r] = simd::fma(value, b_left, left[r]);
      right[r] = simd::fma(value, b_right, right[r]);
    });
  }
  if (rows == tile_rows && cols == tile_cols) {
    simd::unroll<tile_rows>([&](auto r) TRANSEPT_ALWAYS_INLINE {
      float* const to = y + r * stride;
      simd::store(to, add ? simd::load(to) + left[r] : left[r]);
      simd::store(to + width, add ? simd::load(to + width) + right[r] : right[r]);
    });
    return;
  }
  alignas(64) float tile[tile_rows * tile_cols];
  simd::unroll<tile_rows>([&](auto r) TRANSEPT_ALWAYS_INLINE {
    simd::store(tile + r * tile_cols, left[r]);
    simd::store(tile + r * tile_cols + width, right[r]);
  });
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t j = 0; j < cols; ++j)
      y[r * stride + j] = tile[r * tile_cols + j] + (add ? y[r * stride + j] : 0.0f);
}

} // namespace detail

/// y [rows, cols], rows `stride` apart, = a [rows, inner] · b [inner, cols], or += where `add`.
inline void multiply(compute_context& context, product_shape shape, float_matrix a, float_matrix b, float* y,
                     std::size_t stride, bool add = false) {
  using detail::product_cols, detail::product_inner, detail::product_rows, detail::rounded_up;
  using detail::tile_cols, detail::tile_rows;
  workspace::scope scope(context.memory);
  const std::size_t most_inner = std::min(shape.inner, product_inner);
  float* const packed_b =
      scope.floats(most_inner * std::min(rounded_up(shape.cols, tile_cols), product_cols));
  const std::size_t a_block = product_rows * product_inner;
  float* const packed_a_blocks = scope.floats(static_cast<std::size_t>(context.threads.size()) * a_block);

  for (std::size_t n0 = 0; n0 < shape.cols; n0 += product_cols) {
    const std::size_t cols = std::min(product_cols, shape.cols - n0);
    for (std::size_t k0 = 0; k0 < shape.inner; k0 += product_inner) {
      const std::size_t inner = std::min(product_inner, shape.inner - k0);
      const bool add_now = add || k0 > 0;
      parallel_for(context.threads, cols, tile_cols, [&](std::size_t begin, std::size_t end, int) {
        for (std::size_t j = begin; j < end; j += tile_cols)
          detail::pack_strip<tile_cols>(b, k0, inner, n0 + j, std::min(tile_cols, end - j),
                                        packed_b + j * inner);
      });
      parallel_for(
          context.threads, shape.rows, tile_rows, [&](std::size_t begin, std::size_t end, int thread) {
            float* const packed_a = packed_a_blocks + static_cast<std::size_t>(thread) * a_block;
            for (std::size_t r0 = begin; r0 < end; r0 += product_rows) {
              const std::size_t rows = std::min(product_rows, end - r0);
              for (std::size_t r = 0; r < rows; r += tile_rows)
                detail::pack_strip<tile_rows>(transposed(a), k0, inner, r0 + r, std::min(tile_rows, rows - r),
                                              packed_a + r * inner);
              for (std::size_t j = 0; j < cols; j += tile_cols)
                for (std::size_t r = 0; r < rows; r += tile_rows)
                  detail::product_tile(packed_a + r * inner, packed_b + j * inner, inner,
                                       y + (r0 + r) * stride + n0 + j, stride, std::min(tile_rows, rows - r),
                                       std::min(tile_cols, cols - j), add_now);
            }
          });
    }
  }
}

} // namespace transept::inline TRANSEPT_ABI::kernels
