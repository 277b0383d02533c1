// Product of two matrices, the arithmetic under prompts and training:
//
//   y[r, n] = Σₖ a[r, k] · b[k, n]      a of f32, b of any element type, either of which may lie transposed
//
// Both are packed into blocks that fit the caches (b widened to f32), then multiplied a register tile at a
// time (Goto & van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008). An output is one
// sum, k ascending, with one fma each, whatever the blocks and the number of threads: threads divide rows.
//
// With f32_precision::bf16 both operands are rounded to bf16 as they are packed; where a unit multiplies
// bf16, x86/product_tiles.hpp does so, in an order of its own (and on AMX by the parts of
// f32_precision::bf16x3).
#pragma once

#include <cstddef>

#include <transept/kernels/operands.hpp>
#include <transept/runtime/compute_context.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

/// y [rows, cols], rows `stride` apart, = epilogue(a [rows, inner] · b [inner, cols]). With `continued`, sums
/// begin with what y holds instead of 0. The context's precision says whether operands are rounded.
TRANSEPT_FUNCTION void multiply(compute_context& context, product_shape shape, float_matrix a, float_matrix b,
                                float* y, std::size_t stride, const epilogue& finish = {},
                                bool continued = false);

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA

#if !TRANSEPT_IS_COMPILED
#include <transept/kernels/vector/product.hpp>
#endif
