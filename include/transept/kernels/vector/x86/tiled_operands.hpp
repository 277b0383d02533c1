// Whole operands of products of bf16, packed into tiles (bf16_tiles.hpp): [strips of 16 rows, or of 16
// outputs][steps of 32 along the inner dimension][parts].
#pragma once

#include <algorithm>
#include <cstddef>

#include <transept/kernels/vector/float_panels.hpp>
#include <transept/kernels/vector/operands.hpp>
#include <transept/kernels/vector/x86/amx.hpp>
#include <transept/kernels/vector/x86/bf16_tiles.hpp>

#if TRANSEPT_HAS_BF16_DOT

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA::tiles {

/// Packed weights of one thread: half of a second-level cache of 2 MiB.
inline constexpr std::size_t weight_block_bytes = std::size_t{1} << 20;

/// Outputs of one step: two tiles.
inline constexpr std::size_t step_outputs = 2 * tile_outputs;
inline constexpr std::size_t step_rows = 2 * tile_rows;

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

/// Calls f(strip, step) for all of them, in the order in which a matrix is read as it lies: strip by strip,
/// or across all strips before the next step.
template <class F>
void for_each_tile(std::size_t strips, std::size_t steps, bool strip_by_strip, F&& f) {
  if (strip_by_strip) {
    for (std::size_t strip = 0; strip < strips; ++strip)
      for (std::size_t step = 0; step < steps; ++step) f(strip, step);
  } else {
    for (std::size_t step = 0; step < steps; ++step)
      for (std::size_t strip = 0; strip < strips; ++strip) f(strip, step);
  }
}

/// packed = rows n … n + count - 1 of x [.., inner], n a multiple of 16.
template <std::size_t Parts>
void pack_x(float_matrix x, std::size_t inner, std::size_t n, std::size_t count, const tiling& tiles,
            bf16* packed) {
  for_each_tile(
      divide_up(count, tile_rows), tiles.steps, !x.transposed, [&](std::size_t strip, std::size_t step) {
        const std::size_t r = strip * tile_rows, k = step * tile_inner;
        const std::size_t rows = std::min(tile_rows, count - r), inputs = std::min(tile_inner, inner - k);
        const float* const from = x.at(n + r, k);
        bf16* const to = packed + strip * tiles.strip + step * Parts * tile_elements;
        if (x.transposed)
          pack_columns<Parts>(from, x.stride, rows, inputs, to);
        else
          pack_rows<Parts>(from, x.stride, rows, inputs, to);
      });
}

/// A matrix [inner, outputs] to multiply by, whose rows (columns, panels) are `stride` apart.
template <class T>
struct weights {
  const T* data;
  std::size_t stride;
  matrix_layout layout;
};

/// packed = the weights of outputs n … n + count - 1, a last step filled with zeros.
template <std::size_t Parts, class T>
void pack_weights(const weights<T>& w, std::size_t inner, std::size_t n, std::size_t count,
                  const tiling& tiles, bf16* packed) {
  const std::size_t strips = divide_up(count, step_outputs) * 2;
  for_each_tile(
      strips, tiles.steps, w.layout != matrix_layout::row_major, [&](std::size_t strip, std::size_t step) {
        const std::size_t k = step * tile_inner, j = strip * tile_outputs;
        bf16* const to = packed + strip * tiles.strip + step * Parts * tile_elements;
        if (j >= count) return static_cast<void>(std::fill_n(to, Parts * tile_elements, bf16{}));
        const std::size_t inputs = std::min(tile_inner, inner - k),
                          outputs = std::min(tile_outputs, count - j);
        if (w.layout == matrix_layout::panels)
          pack_panel<Parts>(w.data + (n + j) / panel_outputs * w.stride + k * panel_outputs, inputs, to);
        else if (w.layout == matrix_layout::transposed)
          pack_outputs<Parts>(w.data + (n + j) * w.stride + k, w.stride, inputs, outputs, to);
        else
          pack_inputs<Parts>(w.data + k * w.stride + n + j, w.stride, inputs, outputs, to);
      });
}

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA::tiles

#endif
