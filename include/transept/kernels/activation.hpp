// Activation functions, element by element.
//
//   gelu_tanh   0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³)))   GPT-2's; Hendrycks & Gimpel 2016, eq. 2
//   gelu_erf    0.5 x (1 + erf(x / √2))                       the exact form
//   relu        max(x, 0)
//   silu        x / (1 + e⁻ˣ)
//   quick_gelu  x / (1 + e⁻¹·⁷⁰²ˣ)
//   tanh        tanh(x)
//   sigmoid     1 / (1 + e⁻ˣ)
#pragma once

#include <cstddef>

#include <transept/core/activation.hpp>
#include <transept/runtime/compute_context.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

/// y[0 … count) = activation(x), divided over threads.
TRANSEPT_FUNCTION void activate(compute_context& context, activation_type type, const float* x,
                                std::size_t count, float* y);

/// y[0 … count) = activation(x), and d = d · activation′(x), x being what was activated; divided over
/// threads.
TRANSEPT_FUNCTION void activate_backward(compute_context& context, activation_type type, const float* x,
                                         std::size_t count, float* y, float* d);

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA

#if !TRANSEPT_IS_COMPILED
#include <transept/kernels/vector/activation_backward.hpp>
#endif
