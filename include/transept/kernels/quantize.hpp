// Rounding numbers to blocks of int8 and int4 (core/blocks.hpp), sixteen blocks at a time: each is a lane of
// its own, so nothing is summed across lanes and a block comes out the same wherever it stands.
//
//   int8   scale = max|x| / 127,  q = nearest(x / scale)
//   int4   the scale, of several around the one that maps the most extreme number to −8, whose squared error
//          Σ (x − scale · q)² is least;  q = nearest(x / scale) in [−8, 7]
//
// A block with a NaN or an infinity, or too large for an f16 scale, gets a scale of NaN, so that it shows at
// the first logits.
#pragma once

#include <cstddef>

#include <transept/kernels/operands.hpp>
#include <transept/runtime/thread_pool.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

/// Quantizes `count` blocks of 32 successive numbers each to blocks of `type` (q8_0 or q4_0; argument_error
/// for q4_k, which files alone have), at any address.
TRANSEPT_FUNCTION void quantize_blocks(element_type type, const float* x, std::size_t count, void* out);

/// Quantizes and packs a matrix of f32, f16 or bf16; `outputs_are_rows` tells which way it multiplies: an
/// embedding [outputs, inputs], or a linear layer's [inputs, outputs]. A last block that `inputs` does not
/// fill is padded with zeros. `packed` has panel_bytes, 64-byte aligned.
TRANSEPT_FUNCTION void quantize_panels(thread_pool& threads, stored_matrix w, bool outputs_are_rows,
                                       element_type type, void* packed);

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA

#if !TRANSEPT_IS_COMPILED
#include <transept/kernels/vector/quantize.hpp>
#endif
