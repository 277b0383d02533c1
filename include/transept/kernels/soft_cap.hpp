// Soft caps, of attention's scores and of logits (Gemma 2; Bello et al. 2017):
//
//   y = cap · tanh(x / cap),   dx = dy · (1 − (y / cap)²)
#pragma once

#include <cstddef>

#include <transept/runtime/compute_context.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

/// x [count] = cap · tanh(x / cap) in place, so that none is beyond ±cap; cap > 0.
TRANSEPT_FUNCTION void soft_cap(compute_context& context, float* x, std::size_t count, float cap);

/// The same by one thread.
TRANSEPT_FUNCTION void soft_cap_row(float* x, std::size_t count, float cap);

/// dx [count] = dx · (1 − (y / cap)²): the gradient of the capped y becomes that of what was capped.
TRANSEPT_FUNCTION void soft_cap_backward(compute_context& context, const float* y, float* dx,
                                         std::size_t count, float cap);

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA

#if !TRANSEPT_IS_COMPILED
#include <transept/kernels/vector/soft_cap.hpp>
#endif
