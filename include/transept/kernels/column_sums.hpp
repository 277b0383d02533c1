// Sums over rows, column by column: the gradient of whatever is shared by all positions.
#pragma once

#include <cstddef>

#include <transept/runtime/compute_context.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

/// sums [cols] += Σ_rows x [rows, cols], rows in order.
TRANSEPT_FUNCTION void add_column_sums(compute_context& context, std::size_t rows, std::size_t cols,
                                       const float* x, float* sums);

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA

#if !TRANSEPT_IS_COMPILED
#include <transept/kernels/vector/column_sums.hpp>
#endif
