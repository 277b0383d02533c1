// What kernels/product.hpp declares, computed by vectors.
#pragma once

#include <algorithm>
#include <cstddef>
#include <type_traits>

#include <transept/kernels/product.hpp>
#include <transept/kernels/vector/operands.hpp>
#include <transept/kernels/vector/packing.hpp>
#include <transept/kernels/vector/prefetch.hpp>
#include <transept/kernels/vector/product_tile.hpp>
#include <transept/kernels/vector/x86/product_tiles.hpp>
#include <transept/runtime/compute_context.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

namespace detail {

// Blocks: of a [block_rows, block_inner] per thread, in the second-level cache; of b [block_inner,
// block_cols] for all threads, in the last.
inline constexpr std::size_t block_inner = 256;
inline constexpr std::size_t block_rows = 120;
inline constexpr std::size_t block_cols = 4096;
inline constexpr std::size_t a_block_room = block_rows * block_inner;
static_assert(block_rows % tile_rows == 0 && block_cols % tile_cols == 0);

/// One block of each operand multiplied: rows [begin, end) of a, `cols` packed columns of b from n0.
struct block_product {
  float_matrix a;
  bool rounded; ///< a, to bf16; b was when it was packed
  std::size_t k0, inner, n0, cols;
  const float* packed_b;
  const float* sums; ///< [rows, cols] as y lies, or null
  float* y;
  std::size_t stride;
  const epilogue* finish;

  void multiply_rows(std::size_t begin, std::size_t end, float* packed_a) const {
    for (std::size_t r0 = begin; r0 < end; r0 += block_rows) {
      const std::size_t rows = std::min(block_rows, end - r0);
      for (std::size_t r = 0; r < rows; r += tile_rows)
        pack_strip<tile_rows>(transposed(a), k0, inner, r0 + r, std::min(tile_rows, rows - r), rounded,
                              packed_a + r * inner);
      for (std::size_t j = 0; j < cols; j += tile_cols)
        for (std::size_t r = 0; r < rows; r += tile_rows) {
          const bool below = r + tile_rows < rows; // where the next tile is
          fetch_outputs(r0 + (below ? r + tile_rows : 0), r0 + rows, below ? j : j + tile_cols);
          const std::size_t at = (r0 + r) * stride + n0 + j;
          multiply_tile(packed_a + r * inner, packed_b + j * inner, inner,
                        {sums ? sums + at : nullptr, y + at, stride, std::min(tile_rows, rows - r),
                         std::min(tile_cols, cols - j), finish, n0 + j});
        }
      if (finish)
        for (std::size_t r = 0; r < rows; ++r) activate_outputs(*finish, y + (r0 + r) * stride + n0, cols);
    }
  }

  /// Begins to fetch the outputs of a tile: its rows are far apart, and to wait for each costs up to a fifth
  /// of the time.
  void fetch_outputs(std::size_t r, std::size_t rows, std::size_t j) const {
    if (j < cols)
      fetch_to_write(y + r * stride + n0 + j, std::min(tile_rows, rows - r), stride,
                     std::min(tile_cols, cols - j));
  }
};

} // namespace detail

/// Scratch memory that `multiply` takes from the workspace, at most; `added`: where it adds to its output.
constexpr std::size_t product_scratch_bytes(std::size_t rows, std::size_t cols, std::size_t threads,
                                            bool added = true) {
  const std::size_t b_cols = std::min(detail::rounded_up(cols, detail::tile_cols), detail::block_cols);
  return workspace::room_for(detail::block_inner * b_cols) +
         workspace::room_for(threads * detail::a_block_room) + (added ? workspace::room_for(rows * cols) : 0);
}

/// multiply (kernels/product.hpp) by a matrix of any element type.
template <class T>
void multiply_stored(compute_context& context, product_shape shape, float_matrix a, strided_matrix<T> b,
                     float* y, std::size_t stride, const epilogue& finish, bool continued) {
#if TRANSEPT_HAS_BF16_DOT
  if constexpr (std::is_same_v<T, float>)
    if (multiplies_in_tiles(context.precision))
      return tiles::multiply(context, shape, a, b, y, stride, finish, continued);
#endif
  constexpr std::size_t strip = detail::tile_cols;
  const bool rounded = context.precision == f32_precision::bf16;
  workspace::scope scope(context.memory);
  float* const packed_b = scope.floats(std::min(shape.inner, detail::block_inner) *
                                       std::min(detail::rounded_up(shape.cols, strip), detail::block_cols));
  float* const packed_a =
      scope.floats(static_cast<std::size_t>(context.threads.size()) * detail::a_block_room);
  // Unfinished sums may lie in y, unless y still holds what they will be added to.
  const bool apart = finish.add_to_output && shape.inner > detail::block_inner;
  float* const unfinished = apart ? scope.floats(shape.rows * stride) : y;

  for (std::size_t n0 = 0; n0 < shape.cols; n0 += detail::block_cols) {
    const std::size_t cols = std::min(detail::block_cols, shape.cols - n0);
    for (std::size_t k0 = 0; k0 < shape.inner; k0 += detail::block_inner) {
      const std::size_t inner = std::min(detail::block_inner, shape.inner - k0);
      const bool first = k0 == 0, last = k0 + inner == shape.inner;
      parallel_for(context.threads, cols, strip, [&](std::size_t begin, std::size_t end, int) {
        for (std::size_t j = begin; j < end; j += strip)
          detail::pack_strip<strip>(b, k0, inner, n0 + j, std::min(strip, end - j), rounded,
                                    packed_b + j * inner);
      });
      const detail::block_product block{.a = a,
                                        .rounded = rounded,
                                        .k0 = k0,
                                        .inner = inner,
                                        .n0 = n0,
                                        .cols = cols,
                                        .packed_b = packed_b,
                                        .sums = !first      ? unfinished
                                                : continued ? y
                                                            : nullptr,
                                        .y = last ? y : unfinished,
                                        .stride = stride,
                                        .finish = last ? &finish : nullptr};
      parallel_for(context.threads, shape.rows, detail::tile_rows,
                   [&](std::size_t begin, std::size_t end, int thread) {
                     block.multiply_rows(begin, end,
                                         packed_a + static_cast<std::size_t>(thread) * detail::a_block_room);
                   });
    }
  }
}

TRANSEPT_FUNCTION void multiply(compute_context& context, product_shape shape, float_matrix a, float_matrix b,
                                float* y, std::size_t stride, const epilogue& finish, bool continued) {
  multiply_stored(context, shape, a, b, y, stride, finish, continued);
}

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA
