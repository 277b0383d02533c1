// Products of two matrices of f32, either of which may lie transposed, by tiles of bf16 parts of them, one or
// two, as f32_precision says. It is matmul_tiles.hpp with long sums made in pieces, so that the blocks stay
// in the caches; an output is summed in one order, for any number of rows and threads.
//
// The floor under it, at P operations per second of tile products: a step's operations / P, and packing. An
// operand is read once as f32 and packed once, so a product [rows, inner] · [inner, cols] costs rows · inner
// + inner · cols numbers of packing to 2 · rows · inner · cols operations: 2 · rows · cols / (rows + cols)
// for each number, 256 between widths of 128 and many rows, 1536 between widths of 768. Where P is 1.5e12 on
// a core that packs 4e9 numbers a second, the two cost the same at 375.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>

#include <transept/kernels/vector/operands.hpp>
#include <transept/kernels/vector/x86/matmul_tiles.hpp>
#include <transept/runtime/compute_context.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

/// Whether products of two matrices of f32 are of tiles of bf16.
inline bool multiplies_in_tiles(f32_precision precision) {
  const bf16_unit unit = fastest_bf16_unit();
  return unit == bf16_unit::amx ? precision != f32_precision::full
                                : unit == bf16_unit::dot_products && precision == f32_precision::bf16;
}

#if TRANSEPT_HAS_BF16_DOT

namespace tiles {

/// What one piece of a sum is summed over, at most.
inline constexpr std::size_t piece_inner = 4096;

/// y [rows, cols], rows `stride` apart, = epilogue(a [rows, inner] · b [inner, cols]); `continued`: y += ….
inline void multiply(compute_context& context, product_shape shape, float_matrix a, float_matrix b, float* y,
                     std::size_t stride, const epilogue& finish, bool continued) {
  assert(!(continued && finish.add_to_output));
  for (std::size_t k0 = 0; k0 < shape.inner; k0 += piece_inner) {
    const product_shape piece{shape.rows, std::min(piece_inner, shape.inner - k0), shape.cols};
    const bool first = k0 == 0, last = k0 + piece.inner == shape.inner;
    const epilogue its_finish{.bias = last ? finish.bias : nullptr,
                              .add_to_output = !first || continued || finish.add_to_output,
                              .activation = last ? finish.activation : std::nullopt};
    const float_matrix left{a.at(0, k0), a.stride, a.transposed};
    const weights<float> right{b.at(k0, 0), b.stride,
                               b.transposed ? matrix_layout::transposed : matrix_layout::row_major};
    if (context.precision == f32_precision::bf16)
      multiply_in_parts<1>(context, piece, left, right, y, stride, its_finish);
    else
      multiply_in_parts<2>(context, piece, left, right, y, stride, its_finish);
  }
}

} // namespace tiles

#endif

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA
