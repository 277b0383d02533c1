// The innermost part of a product (product.hpp): packed strips of both operands times each other, the sums in
// registers.
#pragma once

#include <algorithm>
#include <cstddef>

#include <transept/kernels/operands.hpp>
#include <transept/simd/batch.hpp>
#include <transept/simd/unroll.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::detail {

// Register tile: tile_rows × tile_cols outputs, as two batches a row.
inline constexpr std::size_t tile_rows = simd::registers == 32 ? 12 : 6;
inline constexpr std::size_t tile_cols = 2 * simd::width;

/// Where the sums of a tile come from and go to.
struct tile_output {
  const float* sums; ///< what they continue; null: 0
  float* y;
  std::size_t stride, rows, cols; ///< of the tile that exists, at most tile_rows × tile_cols
  const epilogue* finish;         ///< null: more products follow
  std::size_t n;                  ///< the tile's first output, for the epilogue
};

/// Adds a [inner][tile_rows] · b [inner][tile_cols] to a tile of sums.
inline void multiply_tile(const float* a, const float* b, std::size_t inner, const tile_output& out) {
  constexpr std::size_t width = simd::width;
  const bool whole = out.rows == tile_rows && out.cols == tile_cols;
  alignas(64) float tile[tile_rows * tile_cols]; // stands in for y where that has less
  simd::batch left[tile_rows], right[tile_rows];
  const float* from = out.sums;
  std::size_t from_stride = out.stride;
  if (from && !whole) {
    for (std::size_t r = 0; r < out.rows; ++r)
      for (std::size_t j = 0; j < out.cols; ++j) tile[r * tile_cols + j] = from[r * out.stride + j];
    from = tile;
    from_stride = tile_cols;
  }
  simd::unroll<tile_rows>([&](auto r) TRANSEPT_ALWAYS_INLINE {
    left[r] = from ? simd::load(from + r * from_stride) : simd::broadcast(0.0f);
    right[r] = from ? simd::load(from + r * from_stride + width) : simd::broadcast(0.0f);
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
  if (whole) {
    if (out.finish && out.finish->bias) {
      const simd::batch bias_left = simd::load(out.finish->bias + out.n);
      const simd::batch bias_right = simd::load(out.finish->bias + out.n + width);
      simd::unroll<tile_rows>([&](auto r) TRANSEPT_ALWAYS_INLINE {
        left[r] += bias_left;
        right[r] += bias_right;
      });
    }
    if (out.finish && out.finish->add_to_output) {
      simd::unroll<tile_rows>([&](auto r) TRANSEPT_ALWAYS_INLINE {
        left[r] += simd::load(out.y + r * out.stride);
        right[r] += simd::load(out.y + r * out.stride + width);
      });
    }
    simd::unroll<tile_rows>([&](auto r) TRANSEPT_ALWAYS_INLINE {
      simd::store(out.y + r * out.stride, left[r]);
      simd::store(out.y + r * out.stride + width, right[r]);
    });
    return;
  }
  simd::unroll<tile_rows>([&](auto r) TRANSEPT_ALWAYS_INLINE {
    simd::store(tile + r * tile_cols, left[r]);
    simd::store(tile + r * tile_cols + width, right[r]);
  });
  const epilogue none;
  const epilogue& finish = out.finish ? *out.finish : none;
  for (std::size_t r = 0; r < out.rows; ++r)
    for (std::size_t j = 0; j < out.cols; j += width)
      finish.store(simd::load(tile + r * tile_cols + j), out.y + r * out.stride + j, out.n + j,
                   std::min(width, out.cols - j));
}

} // namespace transept::inline TRANSEPT_ABI::kernels::detail
