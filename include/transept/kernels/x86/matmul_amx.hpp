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

#include <transept/kernels/operands.hpp>
#include <transept/kernels/x86/amx.hpp>
#include <transept/kernels/x86/bf16_tiles.hpp>
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

/// Packed weights of one thread: half of a second-level cache of 2 MiB.
inline constexpr std::size_t weight_block_bytes = std::size_t{1} << 20;

/// Outputs of one step: two tiles.
inline constexpr std::size_t step_outputs = 2 * tile_outputs;
inline constexpr std::size_t step_rows = 2 * tile_rows;

template <class T>
inline constexpr std::size_t parts_of = std::is_same_v<T, bf16> ? 1 : 2;

constexpr std::size_t divide_up(std::size_t a, std::size_t b) { return (a + b - 1) / b; }

/// How a product is divided: tiles lie as [row tile or output tile][steps][parts].
struct tiling {
  std::size_t steps;         ///< tiles along the inner dimension
  std::size_t strip;         ///< elements of all tiles of 16 rows, or of 16 outputs
  std::size_t block_outputs; ///< packed at once: whole steps

  constexpr tiling(std::size_t inner, std::size_t parts)
      : steps(divide_up(inner, tile_inner)),
        strip(steps * parts * tile_elements),
        block_outputs(std::max<std::size_t>(1, weight_block_bytes / (2 * strip * sizeof(bf16))) *
                      step_outputs) {}

  constexpr std::size_t x_elements(std::size_t rows) const { return divide_up(rows, tile_rows) * strip; }
  constexpr std::size_t block_elements() const { return block_outputs / tile_outputs * strip; }
};

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
inline void finish_tiles(const float* sums, std::size_t rows, std::size_t count, float* y,
                         std::size_t outputs, std::size_t n, const epilogue& finish) {
  constexpr std::size_t width = simd::width;
  static_assert(2 * width == step_outputs);
  for (std::size_t i = 0; i < rows; ++i) {
    const simd::batch left = simd::load(sums + i * step_outputs);
    const simd::batch right = simd::load(sums + i * step_outputs + width);
    float* const to = y + i * outputs + n;
    if (count == step_outputs) {
      finish.store(left, to, n);
      finish.store(right, to + width, n + width);
    } else {
      finish.store(left, to, n, std::min(width, count));
      if (count > width) finish.store(right, to + width, n + width, count - width);
    }
  }
}

/// packed = the weights of outputs n … n + count - 1, a last step filled with zeros.
template <class T>
void pack_weights(const T* w, std::size_t inner, std::size_t outputs, bool outputs_are_rows, std::size_t n,
                  std::size_t count, const tiling& tiles, bf16* packed) {
  constexpr std::size_t parts = parts_of<T>;
  for (std::size_t step = 0; step < tiles.steps; ++step) {
    const std::size_t k = step * tile_inner;
    const std::size_t inputs = std::min(tile_inner, inner - k);
    for (std::size_t j = 0; j < divide_up(count, step_outputs) * step_outputs; j += tile_outputs) {
      bf16* const to = packed + j / tile_outputs * tiles.strip + step * parts * tile_elements;
      const std::size_t width = j < count ? std::min(tile_outputs, count - j) : 0;
      if (width == 0)
        std::fill_n(to, parts * tile_elements, bf16{});
      else if (outputs_are_rows)
        pack_outputs<parts>(w + (n + j) * inner + k, inner, inputs, width, to);
      else
        pack_inputs<parts>(w + k * outputs + n + j, outputs, inputs, width, to);
    }
  }
}

/// y [rows, outputs] = epilogue(x [rows, inner] · w), w [inner, outputs] by rows, or [outputs, inner].
template <class T>
void matmul(compute_context& context, rows_of_floats x, const T* w, std::size_t outputs,
            bool outputs_are_rows, float* y, const epilogue& finish) {
  constexpr std::size_t parts = parts_of<T>;
  const tiling tiles(x.cols, parts);
  workspace::scope scope(context.memory);
  const auto take = [&](std::size_t elements) {
    return reinterpret_cast<bf16*>(scope.floats(elements * sizeof(bf16) / sizeof(float)));
  };
  bf16* const x_tiles = take(tiles.x_elements(x.rows));
  bf16* const blocks = take(static_cast<std::size_t>(context.threads.size()) * tiles.block_elements());

  parallel_for(context.threads, x.rows, tile_rows, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t r = begin; r < end; r += tile_rows)
      for (std::size_t k = 0; k < x.cols; k += tile_inner)
        pack_rows<parts>(x.row(r) + k, x.cols, std::min(tile_rows, end - r), std::min(tile_inner, x.cols - k),
                         x_tiles + r / tile_rows * tiles.strip + k / tile_inner * parts * tile_elements);
  });

  parallel_for(context.threads, outputs, step_outputs, [&](std::size_t begin, std::size_t end, int thread) {
    bf16* const packed = blocks + static_cast<std::size_t>(thread) * tiles.block_elements();
    alignas(64) float sums[step_rows * step_outputs];
    const tile_scope use_tiles{tile_sizes{}};
    for (std::size_t n = begin; n < end; n += tiles.block_outputs) {
      const std::size_t count = std::min(tiles.block_outputs, end - n);
      pack_weights(w, x.cols, outputs, outputs_are_rows, n, count, tiles, packed);
      finish_stores();
      for (std::size_t r = 0; r < x.rows; r += step_rows) {
        const std::size_t rows = std::min(step_rows, x.rows - r);
        const bf16* const rows_of_tiles = x_tiles + r / tile_rows * tiles.strip;
        for (std::size_t j = 0; j < count; j += step_outputs) {
          const bf16* const columns_of_tiles = packed + j / tile_outputs * tiles.strip;
          if (rows > tile_rows)
            multiply_tiles<2, parts>(rows_of_tiles, columns_of_tiles, tiles, sums);
          else
            multiply_tiles<1, parts>(rows_of_tiles, columns_of_tiles, tiles, sums);
          finish_tiles(sums, rows, std::min(step_outputs, count - j), y + r * outputs, outputs, n + j,
                       finish);
        }
        for (std::size_t i = 0; i < rows; ++i) finish.activate(y + (r + i) * outputs + n, count);
      }
    }
  });
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
