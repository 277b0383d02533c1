// Layer normalisation (Ba, Kiros & Hinton 2016, eq. 4), over each row:
//
//   y = (x − mean(x)) / √(variance(x) + ε) · weight + bias,   variance with divisor n
//
// A norm may be without weight (1), or without bias (0): a null pointer.
#pragma once

#include <cstddef>

#include <transept/kernels/operands.hpp>
#include <transept/runtime/compute_context.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

/// y [rows, cols] = layer norm of each row of x; weight and bias [cols], each may be null. y may be x.
TRANSEPT_FUNCTION void layer_norm(compute_context& context, rows_of_floats x, const float* weight,
                                  const float* bias, float epsilon, float* y);

/// dx [rows, cols] += the gradient that dy [rows, cols] gives x; dweight and dbias [cols] += theirs, where
/// they are not null. A null weight is 1.
TRANSEPT_FUNCTION void layer_norm_backward(compute_context& context, rows_of_floats x, const float* weight,
                                           float epsilon, const float* dy, float* dx, float* dweight,
                                           float* dbias);

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA

#if !TRANSEPT_IS_COMPILED
#include <transept/kernels/vector/layer_norm.hpp>
#include <transept/kernels/vector/layer_norm_backward.hpp>
#endif
