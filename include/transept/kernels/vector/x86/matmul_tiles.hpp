// Many rows of activations times 16- or 32-bit weights by tiles of bf16 (multiply_tiles.hpp), summed in f32:
//
//   w bf16        y = round(x) · w                                      one product, x rounded to bf16
//   w f32, f16    y = x_high · w_low + x_low · w_high + x_high · w_high three, of parts (bf16_tiles.hpp), on
//   AMX
//
// Blocks of the weights are packed into tiles that stay in the second-level cache beside some of the
// activations, which are packed once. A result is summed over the whole inner dimension in registers, then
// finished.
//
// An output is always summed in the same order, so it has the same bits for any number of rows (at least
// tiled_rows) and of threads. Against the kernels that do not round x it differs by at most 2⁻⁸ Σₖ|x w|, and
// in practice by √inner less than that; in three products by at most 3 · 2⁻¹⁶ Σₖ|x w|.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <type_traits>

#include <transept/kernels/vector/float_panels.hpp>
#include <transept/kernels/vector/operands.hpp>
#include <transept/kernels/vector/prefetch.hpp>
#include <transept/kernels/vector/x86/amx.hpp>
#include <transept/kernels/vector/x86/bf16_unit.hpp>
#include <transept/kernels/vector/x86/multiply_tiles.hpp>
#include <transept/kernels/vector/x86/tiled_operands.hpp>
#include <transept/runtime/compute_context.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

#if TRANSEPT_HAS_BF16_DOT

namespace tiles {

/// y [rows, outputs n, n + 1, …], of which `count` (≤ 32) exist, = epilogue(sums [rows][32]) without the
/// activation. y is the first row.
inline void finish_tiles(const float* sums, std::size_t rows, std::size_t count, float* y, std::size_t stride,
                         std::size_t n, const epilogue& finish) {
  constexpr std::size_t width = simd::width;
  static_assert(2 * width == step_outputs);
  for (std::size_t i = 0; i < rows; ++i) {
    const simd::batch left = simd::load(sums + i * step_outputs);
    const simd::batch right = simd::load(sums + i * step_outputs + width);
    float* const to = y + i * stride + n;
    if (count == step_outputs) {
      store_outputs(finish, left, to, n);
      store_outputs(finish, right, to + width, n + width);
    } else {
      store_outputs(finish, left, to, n, std::min(width, count));
      if (count > width) store_outputs(finish, right, to + width, n + width, count - width);
    }
  }
}

/// y [rows, outputs], rows `stride` apart, = epilogue(x [rows, inner] · w [inner, outputs]), both in as many
/// parts.
template <class Products, std::size_t Parts, class T>
void multiply_on(compute_context& context, product_shape shape, float_matrix x, const weights<T>& w, float* y,
                 std::size_t stride, const epilogue& finish) {
  const tiling tiles(shape.inner, Parts);
  // Whole panels of bf16 are tiles already.
  const bool in_place = std::is_same_v<T, bf16> && w.layout == matrix_layout::panels &&
                        shape.inner % tile_inner == 0 && panel_count(shape.cols) % 2 == 0;
  workspace::scope scope(context.memory);
  const auto take = [&](std::size_t elements) {
    return reinterpret_cast<bf16*>(scope.floats(elements * sizeof(bf16) / sizeof(float)));
  };
  bf16* const x_tiles = take(tiles.x_elements(shape.rows));
  bf16* const blocks = take(static_cast<std::size_t>(context.threads.size()) * tiles.block_elements());

  parallel_for(context.threads, shape.rows, tile_rows, [&](std::size_t begin, std::size_t end, int) {
    pack_x<Parts>(x, shape.inner, begin, end - begin, tiles, x_tiles + begin / tile_rows * tiles.strip);
  });

  parallel_for(
      context.threads, shape.cols, step_outputs, [&](std::size_t begin, std::size_t end, int thread) {
        bf16* const packed = blocks + static_cast<std::size_t>(thread) * tiles.block_elements();
        alignas(64) float sums[step_rows * step_outputs];
        const Products products;
        for (std::size_t n = begin; n < end; n += tiles.block_outputs) {
          const std::size_t count = std::min(tiles.block_outputs, end - n);
          const bf16* block = packed;
          if (in_place)
            block = reinterpret_cast<const bf16*>(w.data) + n / tile_outputs * tiles.strip;
          else
            pack_weights<Parts>(w, shape.inner, n, count, tiles, packed);
          for (std::size_t r = 0; r < shape.rows; r += step_rows) {
            const std::size_t rows = std::min(step_rows, shape.rows - r);
            const bf16* const rows_of_tiles = x_tiles + r / tile_rows * tiles.strip;
            for (std::size_t j = 0; j < count; j += step_outputs) {
              const bf16* const columns_of_tiles = block + j / tile_outputs * tiles.strip;
              const std::size_t cols = std::min(step_outputs, count - j);
              kernels::detail::fetch_to_write(y + r * stride + n + j, rows, stride, cols);
              products.template multiply<Parts>(rows_of_tiles, columns_of_tiles,
                                                columns_of_tiles + 2 * tiles.strip, tiles, rows, sums);
              finish_tiles(sums, rows, cols, y + r * stride, stride, n + j, finish);
            }
            activate_outputs(finish, y + r * stride + n, rows, stride, count);
          }
        }
      });
}

/// The same on the fastest unit, which is AMX where there are two parts.
template <std::size_t Parts, class T>
void multiply_in_parts(compute_context& context, product_shape shape, float_matrix x, const weights<T>& w,
                       float* y, std::size_t stride, const epilogue& finish) {
#if TRANSEPT_HAS_AMX
  if (fastest_bf16_unit() == bf16_unit::amx)
    return multiply_on<amx_products, Parts>(context, shape, x, w, y, stride, finish);
#endif
  assert(Parts == 1 && "nothing but AMX multiplies in two parts");
  if constexpr (Parts == 1) multiply_on<dot_products, Parts>(context, shape, x, w, y, stride, finish);
}

/// y [rows, outputs] = epilogue(x [rows, inner] · w), w [inner, outputs] in any layout.
template <class T>
void matmul(compute_context& context, rows_of_floats x, const T* w, std::size_t outputs, matrix_layout layout,
            float* y, const epilogue& finish) {
  constexpr std::size_t parts = std::is_same_v<T, bf16> ? 1 : 2;
  const std::size_t stride = layout == matrix_layout::panels       ? float_panel_size(x.cols)
                             : layout == matrix_layout::transposed ? x.cols
                                                                   : outputs;
  multiply_in_parts<parts, T>(context, {x.rows, x.cols, outputs}, {x.data, x.cols}, {w, stride, layout}, y,
                              outputs, finish);
}

} // namespace tiles

#endif

/// Scratch memory that a product of tiles takes from the workspace, at most; 0 where none is one.
inline std::size_t matmul_tiles_scratch_bytes([[maybe_unused]] std::size_t rows,
                                              [[maybe_unused]] std::size_t inner,
                                              [[maybe_unused]] std::size_t threads) {
#if TRANSEPT_HAS_BF16_DOT
  const bf16_unit unit = fastest_bf16_unit();
  if (unit != bf16_unit::none) {
    const tiles::tiling tiles(inner, unit == bf16_unit::amx ? 2 : 1); // parts
    return workspace::room_for<bf16>(tiles.x_elements(rows)) +
           workspace::room_for<bf16>(
               threads * std::max(tiles.block_elements(), tiles::weight_block_bytes / sizeof(bf16)));
  }
#endif
  return 0;
}

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA
