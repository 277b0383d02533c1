// The innermost part of a product (product.hpp): packed strips of both operands times each other, the sums in
// registers.
#pragma once

#include <algorithm>
#include <cstddef>

#include <transept/kernels/vector/operands.hpp>
#include <transept/simd/batch.hpp>
#include <transept/simd/unroll.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA::detail {

// Register tile: tile_rows × tile_cols outputs, as two batches a row.
inline constexpr std::size_t tile_rows = simd::registers == 32 ? 12 : 6;
inline constexpr std::size_t tile_cols = 2 * simd::width;

/// Where the sums of a tile come from and go to.
struct tile_output {
  const float* sums; ///< what they continue; null: 0
  float* y;
  std::size_t stride, rows, cols; ///< of the tile that exists
  const epilogue* finish;         ///< null: more products follow
  std::size_t n;                  ///< the tile's first output, for the epilogue
};

/// to [tile_rows, tile_cols] = from + a [inner][tile_rows] · b [inner][tile_cols], rows of `from` and `to` as
/// far apart as their strides say. A function of its own, so that nothing but this loop asks for registers;
/// unrolled, which on cores shared with other programs makes it a tenth faster.
TRANSEPT_NOINLINE inline void multiply_strips(const float* a, const float* b, std::size_t inner,
                                              const float* from, std::size_t from_stride, float* to,
                                              std::size_t to_stride) {
  constexpr std::size_t width = simd::width;
  simd::batch sums[2 * tile_rows];
  simd::unroll<2 * tile_rows>([&](auto i) TRANSEPT_ALWAYS_INLINE {
    sums[i] = simd::load(from + i / 2 * from_stride + i % 2 * width);
  });
  const auto add_product = [&](std::size_t k) TRANSEPT_ALWAYS_INLINE {
    const simd::batch b_left = simd::in_register(simd::load(b + k * tile_cols));
    const simd::batch b_right = simd::in_register(simd::load(b + k * tile_cols + width));
    simd::unroll<tile_rows>([&](auto r) TRANSEPT_ALWAYS_INLINE {
      const simd::batch value = simd::broadcast(a[k * tile_rows + r]);
      sums[2 * r] = simd::fma(value, b_left, sums[2 * r]);
      sums[2 * r + 1] = simd::fma(value, b_right, sums[2 * r + 1]);
    });
  };
  constexpr std::size_t steps = TRANSEPT_HAS_FMA ? 4 : 1; // a product apart from its sum takes more registers
  std::size_t k = 0;
  for (; k + steps <= inner; k += steps, a += steps * tile_rows, b += steps * tile_cols)
    simd::unroll<steps>([&](auto step) TRANSEPT_ALWAYS_INLINE { add_product(step); });
  for (; k < inner; ++k, a += tile_rows, b += tile_cols) add_product(0);
  simd::unroll<2 * tile_rows>(
      [&](auto i) TRANSEPT_ALWAYS_INLINE { simd::store(to + i / 2 * to_stride + i % 2 * width, sums[i]); });
}

/// Computes a tile of Rows × Cols outputs, of which `out` says how many exist, by core(from, from_stride, to,
/// to_stride), which makes rows of `to` out of rows of `from`, whole ones.
template <std::size_t Rows, std::size_t Cols, class Core>
TRANSEPT_ALWAYS_INLINE inline void compute_tile(const tile_output& out, Core&& core) {
  alignas(64) static constexpr float zeros[Cols]{};
  alignas(64) float tile[Rows * Cols]; // where sums are not in their place
  const bool whole = out.rows == Rows && out.cols == Cols;
  const float* from = zeros;
  std::size_t from_stride = 0;
  if (out.sums && whole) {
    from = out.sums;
    from_stride = out.stride;
  } else if (out.sums) {
    std::fill_n(tile, Rows * Cols, 0.0f);
    for (std::size_t r = 0; r < out.rows; ++r)
      for (std::size_t j = 0; j < out.cols; ++j) tile[r * Cols + j] = out.sums[r * out.stride + j];
    from = tile;
    from_stride = Cols;
  }
  if (whole && (!out.finish || out.finish->keeps_sums())) return core(from, from_stride, out.y, out.stride);
  core(from, from_stride, tile, Cols);
  const epilogue none;
  const epilogue& finish = out.finish ? *out.finish : none;
  for (std::size_t r = 0; r < out.rows; ++r)
    for (std::size_t j = 0; j < out.cols; j += simd::width)
      store_outputs(finish, simd::load(tile + r * Cols + j), out.y + r * out.stride + j, out.n + j,
                    std::min(simd::width, out.cols - j));
}

/// Adds a [inner][tile_rows] · b [inner][tile_cols] to a tile of sums.
inline void multiply_tile(const float* a, const float* b, std::size_t inner, const tile_output& out) {
  compute_tile<tile_rows, tile_cols>(
      out, [&](const float* from, std::size_t from_stride, float* to, std::size_t to_stride) {
        multiply_strips(a, b, inner, from, from_stride, to, to_stride);
      });
}

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA::detail
