// Cross-entropy of softmax(logits) against a target, fused with its gradient:
//
//   loss = (1 − s) · (L − z_t) + s · (L − mean(z)),   L = log Σⱼ e^zⱼ
//   dloss/dzⱼ = softmax(z)ⱼ − (1 − s) · [j = t] − s / n
//
// s is label smoothing (Szegedy et al. 2016, section 7), as PyTorch has it.
#pragma once

#include <cstddef>

#include <transept/core/version.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

/// The loss of one row of logits z [count]; z becomes weight · its gradient. With a soft cap above 0, z are
/// numbers that the logits are made of, cap · tanh(z / cap).
TRANSEPT_FUNCTION double cross_entropy_backward(float* z, std::size_t count, std::size_t target,
                                                float smoothing, float weight, float cap = 0.0f);

/// The loss alone, of logits as they are.
TRANSEPT_FUNCTION double cross_entropy(const float* z, std::size_t count, std::size_t target);

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA

#if !TRANSEPT_IS_COMPILED
#include <transept/kernels/vector/cross_entropy.hpp>
#endif
