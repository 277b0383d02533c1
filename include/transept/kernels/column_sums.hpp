// Sums over rows, column by column: the gradient of whatever is shared by all positions.
#pragma once

#include <algorithm>
#include <cstddef>

#include <transept/runtime/compute_context.hpp>
#include <transept/simd/batch.hpp>

namespace transept::inline TRANSEPT_ABI::kernels {

/// Calls add(row, column, lanes) for every row, in order, and batch of columns; threads divide the columns.
template <class F>
void for_each_column(compute_context& context, std::size_t rows, std::size_t cols, F&& add) {
  parallel_for(context.threads, cols, 2 * simd::width, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t r = 0; r < rows; ++r)
      for (std::size_t i = begin; i < end; i += simd::width) add(r, i, std::min(simd::width, end - i));
  });
}

/// sums [cols] += Σ_rows x [rows, cols], rows in order.
inline void add_column_sums(compute_context& context, std::size_t rows, std::size_t cols, const float* x,
                            float* sums) {
  for_each_column(context, rows, cols, [&](std::size_t r, std::size_t i, std::size_t lanes) {
    const simd::batch sum = simd::load_lanes(sums + i, lanes) + simd::load_lanes(x + r * cols + i, lanes);
    simd::store_lanes(sums + i, sum, lanes);
  });
}

} // namespace transept::inline TRANSEPT_ABI::kernels
