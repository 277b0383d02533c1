// softmax(x)ᵢ = eˣⁱ / Σⱼ eˣʲ, computed as eˣⁱ⁻ᵐ / Σⱼ eˣʲ⁻ᵐ with m = max(x), so that nothing overflows.
#pragma once

#include <cstddef>

#include <transept/core/version.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

/// The greatest of x[0 … count), −∞ if count is 0.
TRANSEPT_FUNCTION float greatest(const float* x, std::size_t count);

/// In place over x[0 … count). −∞ becomes 0. The greatest element must be finite.
TRANSEPT_FUNCTION void softmax(float* x, std::size_t count);

/// log Σⱼ eˣʲ, so that log softmax(x)ᵢ = xᵢ − log_sum_exp(x). Sums in double.
TRANSEPT_FUNCTION double log_sum_exp(const float* x, std::size_t count);

/// x [count] = eˣ.
TRANSEPT_FUNCTION void exponentials(float* x, std::size_t count);

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA

#if !TRANSEPT_IS_COMPILED
#include <transept/kernels/vector/softmax.hpp>
#endif
