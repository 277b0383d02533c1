// What kernels/column_sums.hpp declares, computed by vectors.
#pragma once

#include <cstddef>
#include <type_traits>

#include <transept/kernels/column_sums.hpp>
#include <transept/runtime/compute_context.hpp>
#include <transept/simd/batch.hpp>
#include <transept/simd/unroll.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

/// Adds to `Sums` rows of sums [cols]: calls add(row, column, lanes, batches) for every row, in order, with
/// the `Sums` batches of sums from that column on, which stay in registers. Threads divide the columns.
template <std::size_t Sums, class F>
void add_over_rows(compute_context& context, std::size_t rows, std::size_t cols, float* const (&sums)[Sums],
                   F&& add) {
  constexpr std::size_t width = simd::width, together = 8 / Sums;
  const auto add_columns = [&](auto batches, std::size_t first, auto lanes) TRANSEPT_ALWAYS_INLINE {
    simd::batch totals[batches][Sums];
    simd::unroll<batches * Sums>([&](auto i) TRANSEPT_ALWAYS_INLINE {
      totals[i / Sums][i % Sums] = simd::load_lanes(sums[i % Sums] + first + i / Sums * width, lanes);
    });
    for (std::size_t r = 0; r < rows; ++r)
      simd::unroll<batches>([&](auto b)
                                TRANSEPT_ALWAYS_INLINE { add(r, first + b * width, lanes, totals[b]); });
    simd::unroll<batches * Sums>([&](auto i) TRANSEPT_ALWAYS_INLINE {
      simd::store_lanes(sums[i % Sums] + first + i / Sums * width, totals[i / Sums][i % Sums], lanes);
    });
  };
  parallel_for(context.threads, cols, 2 * width, [&](std::size_t begin, std::size_t end, int) {
    const std::size_t whole = (end - begin) / width;
    simd::in_tiles<together>(whole, [&](std::size_t i, auto batches) {
      add_columns(batches, begin + i * width, std::integral_constant<std::size_t, width>{});
    });
    if (const std::size_t rest = (end - begin) % width; rest > 0)
      add_columns(std::integral_constant<std::size_t, 1>{}, begin + whole * width, rest);
  });
}

TRANSEPT_FUNCTION void add_column_sums(compute_context& context, std::size_t rows, std::size_t cols,
                                       const float* x, float* sums) {
  add_over_rows<1>(context, rows, cols, {sums},
                   [&](std::size_t r, std::size_t i, auto lanes, auto& totals)
                       TRANSEPT_ALWAYS_INLINE { totals[0] += simd::load_lanes(x + r * cols + i, lanes); });
}

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA
