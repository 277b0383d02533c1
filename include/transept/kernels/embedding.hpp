// Rows of a stored matrix, widened to f32; and the gradients of embeddings: each row of dx goes to the rows
// of the tables that it was made of.
#pragma once

#include <cstddef>

#include <transept/core/function_ref.hpp>
#include <transept/kernels/operands.hpp>
#include <transept/runtime/compute_context.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

/// y [cols] = row `index` of a table, of any layout.
TRANSEPT_FUNCTION void copy_row(stored_matrix w, std::size_t index, float* y);

/// y [cols] = row `index` of a linear layer's weights, of any layout: those of one input.
TRANSEPT_FUNCTION void copy_input_row(stored_matrix w, std::size_t index, float* y);

/// y [cols] += row `index` of a table whose elements stand alone and lie by rows.
TRANSEPT_FUNCTION void add_row(stored_matrix w, std::size_t index, float* y);

/// table [of_row's range, cols]: row of_row(r) += row r of dx [rows, cols], r in order.
TRANSEPT_FUNCTION void scatter_rows(compute_context& context, const float* dx, std::size_t rows,
                                    std::size_t cols, float* table,
                                    function_ref<std::size_t(std::size_t)> of_row);

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA

#if !TRANSEPT_IS_COMPILED
#include <transept/kernels/vector/embedding.hpp>
#include <transept/kernels/vector/embedding_backward.hpp>
#endif
