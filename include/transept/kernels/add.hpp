// Sums, element by element.
#pragma once

#include <cstddef>

#include <transept/runtime/compute_context.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

/// y[0 … count) += x, divided over threads.
TRANSEPT_FUNCTION void add(compute_context& context, const float* x, std::size_t count, float* y);

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA

#if !TRANSEPT_IS_COMPILED
#include <transept/kernels/vector/add.hpp>
#endif
