// Many rows of activations times 16- or 32-bit weights on AMX's bf16 products, which are summed in f32:
//
//   w bf16        y = round(x) · w                                      one product, x rounded to bf16
//   w f32, f16    y = x_high · w_low + x_low · w_high + x_high · w_high three, of parts (bf16_tiles.hpp)
//
// Blocks of the weights are packed into tiles that stay in the second-level cache beside some of the
// activations, which are packed once; each step multiplies 2 × 2 tiles, so that one tile is loaded for each
// tile product. A result is summed over the whole inner dimension in tile registers, then finished.
//
// An output is always summed in the same order, so it has the same bits for any number of rows (at least
// amx_rows) and of threads. Against the kernels that do not round x it differs by at most 2⁻⁸ Σₖ|x w|, and in
// practice by √inner less than that; in three products by at most 3 · 2⁻¹⁶ Σₖ|x w|.
#pragma once

#include <algorithm>
#include <cstddef>
#include <type_traits>

#include <transept/kernels/float_panels.hpp>
#include <transept/kernels/operands.hpp>
#include <transept/kernels/x86/amx.hpp>
#include <transept/kernels/x86/tiled_operands.hpp>
#include <transept/runtime/compute_context.hpp>

namespace transept::inline TRANSEPT_ABI::kernels {

/// From this number of rows on, AMX multiplies: a whole tile of them. (By a count of operations, packing the
/// weights costs as much as multiplying eight rows without AMX; not measured.)
inline constexpr std::size_t amx_rows = 16;

/// Whether AMX computes a product of `rows` rows with weights of a type that comes in no blocks.
inline bool runs_on_amx(element_type type, std::size_t rows, f32_precision precision = f32_precision::full) {
  return rows >= amx_rows && (type == element_type::bf16 || precision == f32_precision::bf16x3) &&
         amx::available();
}

#if TRANSEPT_HAS_AMX

namespace amx {

/// tmm0 … tmm3 += x tiles tmm4, tmm5 × weight tiles tmm6, tmm7; with one row of tiles, tmm0 and tmm1.
template <std::size_t RowTiles>
inline void multiply_step() {
  _tile_dpbf16ps(0, 4, 6);
  _tile_dpbf16ps(1, 4, 7);
  if constexpr (RowTiles == 2) {
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
}

template <std::size_t RowTiles>
inline void load_x(const bf16* tiles, std::size_t strip) {
  _tile_loadd(4, tiles, tile_row_bytes);
  if constexpr (RowTiles == 2) _tile_loadd(5, tiles + strip, tile_row_bytes);
}

inline void load_weights(const bf16* tiles, std::size_t strip) {
  _tile_loadd(6, tiles, tile_row_bytes);
  _tile_loadd(7, tiles + strip, tile_row_bytes);
}

/// sums [16 RowTiles][32] = x · w, for the tiles of as many rows and of 32 outputs.
template <std::size_t RowTiles, std::size_t Parts>
void multiply_tiles(const bf16* x, const bf16* w, const tiling& tiles, float* sums) {
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  const std::size_t strip = tiles.strip;
  for (std::size_t step = 0; step < tiles.steps; ++step) {
    const bf16* const x_tiles = x + step * Parts * tile_elements;
    const bf16* const w_tiles = w + step * Parts * tile_elements;
    load_weights(w_tiles, strip);
    if constexpr (Parts == 2) {
      load_x<RowTiles>(x_tiles + tile_elements, strip);
      multiply_step<RowTiles>(); // low · high
    }
    load_x<RowTiles>(x_tiles, strip);
    multiply_step<RowTiles>(); // high · high
    if constexpr (Parts == 2) {
      load_weights(w_tiles + tile_elements, strip);
      multiply_step<RowTiles>(); // high · low
    }
  }
  constexpr std::size_t row_bytes = step_outputs * sizeof(float);
  _tile_stored(0, sums, row_bytes);
  _tile_stored(1, sums + tile_outputs, row_bytes);
  if constexpr (RowTiles == 2) {
    _tile_stored(2, sums + tile_rows * step_outputs, row_bytes);
    _tile_stored(3, sums + tile_rows * step_outputs + tile_outputs, row_bytes);
  }
}

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
      finish.store(left, to, n);
      finish.store(right, to + width, n + width);
    } else {
      finish.store(left, to, n, std::min(width, count));
      if (count > width) finish.store(right, to + width, n + width, count - width);
    }
  }
}

/// y [rows, outputs], rows `stride` apart, = epilogue(x [rows, inner] · w [inner, outputs]), both in as many
/// parts.
template <std::size_t Parts, class T>
void multiply_in_parts(compute_context& context, product_shape shape, float_matrix x, const weights<T>& w,
                       float* y, std::size_t stride, const epilogue& finish) {
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

  parallel_for(context.threads, shape.cols, step_outputs,
               [&](std::size_t begin, std::size_t end, int thread) {
                 bf16* const packed = blocks + static_cast<std::size_t>(thread) * tiles.block_elements();
                 alignas(64) float sums[step_rows * step_outputs];
                 const tile_scope use_tiles{tile_sizes{}};
                 for (std::size_t n = begin; n < end; n += tiles.block_outputs) {
                   const std::size_t count = std::min(tiles.block_outputs, end - n);
                   const bf16* block = packed;
                   if (in_place)
                     block = reinterpret_cast<const bf16*>(w.data) + n / tile_outputs * tiles.strip;
                   else
                     pack_weights<Parts>(w, shape.inner, n, count, tiles, packed);
                   finish_stores();
                   for (std::size_t r = 0; r < shape.rows; r += step_rows) {
                     const std::size_t rows = std::min(step_rows, shape.rows - r);
                     const bf16* const rows_of_tiles = x_tiles + r / tile_rows * tiles.strip;
                     for (std::size_t j = 0; j < count; j += step_outputs) {
                       const bf16* const columns_of_tiles = block + j / tile_outputs * tiles.strip;
                       if (rows > tile_rows)
                         multiply_tiles<2, Parts>(rows_of_tiles, columns_of_tiles, tiles, sums);
                       else
                         multiply_tiles<1, Parts>(rows_of_tiles, columns_of_tiles, tiles, sums);
                       finish_tiles(sums, rows, std::min(step_outputs, count - j), y + r * stride, stride,
                                    n + j, finish);
                     }
                     for (std::size_t i = 0; i < rows; ++i) finish.activate(y + (r + i) * stride + n, count);
                   }
                 }
               });
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

} // namespace amx

#endif

/// Scratch memory that a product takes from the workspace where AMX computes it, at most.
inline std::size_t matmul_amx_scratch_bytes([[maybe_unused]] std::size_t rows,
                                            [[maybe_unused]] std::size_t inner,
                                            [[maybe_unused]] std::size_t threads) {
#if TRANSEPT_HAS_AMX
  if (amx::available()) {
    const amx::tiling tiles(inner, 2);
    return workspace::room_for<bf16>(tiles.x_elements(rows)) +
           workspace::room_for<bf16>(
               threads * std::max(tiles.block_elements(), amx::weight_block_bytes / sizeof(bf16)));
  }
#endif
  return 0;
}

} // namespace transept::inline TRANSEPT_ABI::kernels
