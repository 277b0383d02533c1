// Root mean square norm (Zhang & Sennrich 2019, eq. 4), over each row:
//
//   y = x / √(mean(x²) + ε) · (weight_offset + weight)
//
// weight_offset is 0 (LLaMA), or 1 (Gemma, whose weights are what a factor has above 1). And its gradients:
// with x̂ = x / √(mean(x²) + ε) and g = dy · (weight_offset + weight), row by row,
//
//   dx = (g − x̂ · mean(g · x̂)) / √(mean(x²) + ε),   dweight = Σ_rows dy · x̂
//
// The rows are those of a matrix, or (norms of queries and keys: Dehghani et al. 2023) heads within wider
// rows, which all have one weight.
#pragma once

#include <cstddef>

#include <transept/kernels/head_rows.hpp>
#include <transept/kernels/operands.hpp>
#include <transept/runtime/compute_context.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

/// y [rows, cols] = RMS norm of each row of x. weight [cols] may be null: the factor is 1 then. y may be x.
TRANSEPT_FUNCTION void rms_norm(compute_context& context, rows_of_floats x, const float* weight,
                                float weight_offset, float epsilon, float* y);

/// dx [rows, cols] += the gradient that dy [rows, cols] gives x; dweight [cols] += its own, unless it is
/// null.
TRANSEPT_FUNCTION void rms_norm_backward(compute_context& context, rows_of_floats x, const float* weight,
                                         float weight_offset, float epsilon, const float* dy, float* dx,
                                         float* dweight);

/// y = RMS norm of every head of x, both laid out as `where` says. weight [head_width], the same for all
/// heads, may be null: the factor is 1 then. y may be x.
TRANSEPT_FUNCTION void rms_norm_heads(compute_context& context, head_rows where, const float* x,
                                      const float* weight, float weight_offset, float epsilon, float* y);

/// The gradient of y becomes that of x, in place, laid out as x is; dweight [head_width] += its own, rows and
/// then heads in order, unless it is null.
TRANSEPT_FUNCTION void rms_norm_heads_backward(compute_context& context, head_rows where, const float* x,
                                               const float* weight, float weight_offset, float epsilon,
                                               float* dy_to_dx, float* dweight);

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA

#if !TRANSEPT_IS_COMPILED
#include <transept/kernels/vector/rms_norm.hpp>
#endif
