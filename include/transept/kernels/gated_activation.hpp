// Gated linear units (Dauphin et al. 2017; their kin SwiGLU and GEGLU: Shazeer 2020), once both products are
// made:
//
//   out = activation(gate) · up        sigmoid: GLU, silu: SwiGLU, gelu: GEGLU, relu: ReGLU
//   dgate = dout · up · activation′(gate),   dup = dout · activation(gate)
#pragma once

#include <cstddef>

#include <transept/core/activation.hpp>
#include <transept/runtime/compute_context.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

/// out [rows, inner] = activation(gate) · up, where gate_up [rows, 2 · inner] has the gate first in every
/// row.
TRANSEPT_FUNCTION void gated_activation(compute_context& context, activation_type type, const float* gate_up,
                                        std::size_t rows, std::size_t inner, float* out);

/// dgate_up [rows, 2 · inner] = the gradient that dout [rows, inner] gives gate_up, and out [rows, inner] =
/// the value again. dgate_up may be gate_up; out may be dout.
TRANSEPT_FUNCTION void gated_activation_backward(compute_context& context, activation_type type,
                                                 const float* gate_up, std::size_t rows, std::size_t inner,
                                                 const float* dout, float* out, float* dgate_up);

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA

#if !TRANSEPT_IS_COMPILED
#include <transept/kernels/vector/gated_activation.hpp>
#endif
