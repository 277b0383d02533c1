// Matrix product of activations with stored weights, the two layouts GPT-2 comes in:
//
//   matmul             y[r, n] = Σₖ x[r, k] · w[k, n]      w [inner, outputs], Conv1D as Hugging Face stores
//   matmul_transposed  y[r, n] = Σₖ x[r, k] · w[n, k]      w [outputs, inner], the output embedding
//
// then, in one pass over the result: + bias[n], + residual y[r, n], activation.
//
// Weights may lie by inputs, by outputs, or in panels packed for the kernels (matrix_layout); whichever way,
// both functions take them.
//
// Determinism: an output is always summed in the same order: for weights [inner, outputs] k = 0, 1, 2, … with
// one fma each (vectorised across outputs), for [outputs, inner] in `simd::width` interleaved partial sums
// that are added in one fixed order, for panels block by block. The kernels of one row and of a few, which
// stream the weights from memory once, and those of many rows, which pack them into cache blocks, all keep to
// it, and threads divide outputs only. So the same bits come out for any number of rows at once and any
// number of threads. Units that multiply bf16 by bf16 (kernels/vector/x86/bf16_unit.hpp) take whole tiles of
// rows and bf16 weights (AMX also f32, split into bf16 parts, where the context lets it), for which
// activations are rounded, and have an order of their own: one for any number of rows from tiled_rows on, and
// any number of threads.
#pragma once

#include <cstddef>

#include <transept/kernels/operands.hpp>
#include <transept/runtime/compute_context.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

/// Scratch memory that products of up to `rows` rows take from the workspace, at most: with up to `inner`
/// inputs, and `added` outputs where they are added to what is there, `outputs` where they are not.
TRANSEPT_FUNCTION std::size_t matmul_scratch_bytes(std::size_t rows, std::size_t inner, std::size_t added,
                                                   std::size_t outputs, std::size_t threads);

/// y [rows, outputs] = epilogue(x [rows, inner] · w [inner, outputs]), w of any layout.
TRANSEPT_FUNCTION void matmul(compute_context& context, rows_of_floats x, stored_matrix w, float* y,
                              epilogue finish);

/// y [rows, outputs] = epilogue(x [rows, inner] · w [outputs, inner]ᵀ), w of any layout.
TRANSEPT_FUNCTION void matmul_transposed(compute_context& context, rows_of_floats x, stored_matrix w,
                                         float* y, epilogue finish);

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA

#if !TRANSEPT_IS_COMPILED
#include <transept/kernels/vector/matmul.hpp>
#endif
