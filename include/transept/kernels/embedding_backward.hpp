// Gradients of the embeddings: each row of dx goes to the rows of the tables that it was made of.
#pragma once

#include <algorithm>
#include <cstddef>

#include <transept/kernels/column_sums.hpp>

namespace transept::inline TRANSEPT_ABI::kernels {

/// table [of_row's range, cols]: row of_row(r) += row r of dx [rows, cols], r in order.
template <class OfRow>
void scatter_rows(compute_context& context, const float* dx, std::size_t rows, std::size_t cols, float* table,
                  OfRow&& of_row) {
  for_each_column(context, rows, cols, [&](std::size_t r, std::size_t i, std::size_t lanes) {
    float* const to = table + of_row(r) * cols + i;
    simd::store_lanes(to, simd::load_lanes(to, lanes) + simd::load_lanes(dx + r * cols + i, lanes), lanes);
  });
}

} // namespace transept::inline TRANSEPT_ABI::kernels
