// What kernels/rotary.hpp declares, computed by vectors.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <utility>

#include <transept/kernels/rotary.hpp>
#include <transept/kernels/vector/worth_a_thread.hpp>
#include <transept/runtime/compute_context.hpp>
#include <transept/simd/batch.hpp>
#include <transept/simd/unroll.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

namespace detail {

/// Pairs first, first + 1, …, of which `count` (≤ width) exist, of all heads of one row.
template <rotary_pairing Pairing>
void rotate_pairs(head_rows where, const float* cosines, const float* sines, std::size_t half,
                  std::size_t first, std::size_t count, bool backwards, float* row) {
  constexpr std::size_t width = simd::width;
  const simd::batch cosine = simd::load_lanes(cosines + first, count);
  const simd::batch towards = simd::load_lanes(sines + first, count);
  const simd::batch sine = backwards ? -towards : towards;
  if constexpr (Pairing == rotary_pairing::halves) {
    for (std::size_t h = 0; h < where.heads; ++h) {
      float* const a = row + h * where.head_width + first;
      float* const b = a + half;
      const simd::batch x = simd::load_lanes(a, count), y = simd::load_lanes(b, count);
      simd::store_lanes(a, simd::fma(y, -sine, x * cosine), count);
      simd::store_lanes(b, simd::fma(x, sine, y * cosine), count);
    }
  } else {
    constexpr std::make_index_sequence<width> all;
    const simd::batch factors[2] = {simd::detail::interleave<0>(cosine, cosine, all),
                                    simd::detail::interleave<1>(cosine, cosine, all)};
    const simd::batch others[2] = {simd::detail::interleave<0>(-sine, sine, all),
                                   simd::detail::interleave<1>(-sine, sine, all)};
    for (std::size_t h = 0; h < where.heads; ++h) {
      float* const pairs = row + h * where.head_width + 2 * first;
      simd::unroll<2>([&](auto part) TRANSEPT_ALWAYS_INLINE {
        if (2 * count <= part * width) return;
        const std::size_t lanes = std::min(width, 2 * count - part * width);
        const simd::batch x = simd::load_lanes(pairs + part * width, lanes);
        const simd::batch turned = simd::fma(simd::swap_pairs(x), others[part], x * factors[part]);
        simd::store_lanes(pairs + part * width, turned, lanes);
      });
    }
  }
}

template <rotary_pairing Pairing>
void rotate_row(head_rows where, const float* angles, std::size_t half, bool backwards, float* row) {
  for (std::size_t i = 0; i < half; i += simd::width) // a vector of angles serves all heads
    rotate_pairs<Pairing>(where, angles, angles + half, half, i, std::min(simd::width, half - i), backwards,
                          row);
}

} // namespace detail

TRANSEPT_FUNCTION void rotate(compute_context& context, head_rows where, const float* angles,
                              std::size_t rotary_width, rotary_pairing pairing, float* x, bool backwards) {
  assert(rotary_width % 2 == 0 && rotary_width <= where.head_width);
  parallel_for(
      context.threads, where.rows, detail::worth_a_thread(where.heads * rotary_width),
      [&](std::size_t begin, std::size_t end, int) {
        for (std::size_t r = begin; r < end; ++r) {
          const float* const of_row = angles + r * rotary_width;
          float* const row = x + r * where.row_stride;
          if (pairing == rotary_pairing::halves)
            detail::rotate_row<rotary_pairing::halves>(where, of_row, rotary_width / 2, backwards, row);
          else
            detail::rotate_row<rotary_pairing::interleaved>(where, of_row, rotary_width / 2, backwards, row);
        }
      });
}

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA
