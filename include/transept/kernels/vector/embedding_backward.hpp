// Gradients of the embeddings: each row of dx goes to the rows of the tables that it was made of.
#pragma once

#include <algorithm>
#include <cstddef>

#include <transept/kernels/embedding.hpp>
#include <transept/simd/batch.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

TRANSEPT_FUNCTION void scatter_rows(compute_context& context, const float* dx, std::size_t rows,
                                    std::size_t cols, float* table,
                                    function_ref<std::size_t(std::size_t)> of_row) {
  parallel_for(context.threads, cols, 2 * simd::width, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t r = 0; r < rows; ++r) {
      float* const to = table + of_row(r) * cols;
      for (std::size_t i = begin; i < end; i += simd::width) {
        const std::size_t lanes = std::min(simd::width, end - i);
        const simd::batch sum = simd::load_lanes(to + i, lanes) + simd::load_lanes(dx + r * cols + i, lanes);
        simd::store_lanes(to + i, sum, lanes);
      }
    }
  });
}

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA
