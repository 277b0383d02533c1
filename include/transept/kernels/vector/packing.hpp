// How products take their operands (product.hpp): strips of the numbers that one step of a register tile
// reads, one after another.
//
//   packed [inner][lanes]      lanes: rows of a, or columns of b
#pragma once

#include <algorithm>
#include <cstddef>

#include <transept/core/element_type.hpp>
#include <transept/kernels/vector/operands.hpp>
#include <transept/simd/batch.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA::detail {

constexpr std::size_t rounded_up(std::size_t n, std::size_t unit) { return (n + unit - 1) / unit * unit; }

/// packed [inner][Lanes] = from[lane · lane_step + k], squares of numbers at a time.
template <std::size_t Lanes, class T>
void pack_across(const T* from, std::size_t lane_step, std::size_t inner, float* packed) {
  std::size_t k = 0;
  if constexpr (Lanes % simd::width == 0 || Lanes < simd::width) {
    for (; k + simd::width <= inner; k += simd::width) {
      for (std::size_t first = 0; first < Lanes; first += simd::width) {
        simd::batch square[simd::width];
        for (std::size_t i = 0; i < simd::width; ++i)
          square[i] =
              first + i < Lanes ? simd::load(from + (first + i) * lane_step + k) : simd::broadcast(0.0f);
        simd::transpose(square);
        // Where Lanes is less than a vector, each store leaves zeros that the next one overwrites.
        for (std::size_t i = 0; i < simd::width; ++i) {
          const std::size_t left = (simd::width - i) * Lanes - first;
          simd::store_lanes(packed + (k + i) * Lanes + first, square[i], std::min(left, simd::width));
        }
      }
    }
  }
  for (; k < inner; ++k)
    for (std::size_t lane = 0; lane < Lanes; ++lane)
      packed[k * Lanes + lane] = to_float(from[lane * lane_step + k]);
}

/// values [count] = the bf16 nearest to each.
inline void round_to_bf16(float* values, std::size_t count) {
  for (std::size_t i = 0; i < count; i += simd::width) {
    const std::size_t lanes = std::min(simd::width, count - i);
    simd::store_lanes(values + i, simd::nearest_bf16(simd::load_lanes(values + i, lanes)), lanes);
  }
}

/// packed [inner][Lanes] = m[k0 + k, n0 + lane] for `lanes` lanes, the others 0; if `rounded`, to bf16.
template <std::size_t Lanes, class T>
void pack_strip(strided_matrix<T> m, std::size_t k0, std::size_t inner, std::size_t n0, std::size_t lanes,
                bool rounded, float* packed) {
  const T* const from = m.at(k0, n0);
  const std::size_t k_step = m.transposed ? 1 : m.stride, lane_step = m.transposed ? m.stride : 1;
  if (lanes < Lanes) {
    std::fill_n(packed, inner * Lanes, 0.0f);
    for (std::size_t k = 0; k < inner; ++k)
      for (std::size_t lane = 0; lane < lanes; ++lane)
        packed[k * Lanes + lane] = to_float(from[k * k_step + lane * lane_step]);
  } else if (m.transposed) {
    pack_across<Lanes>(from, lane_step, inner, packed);
  } else if constexpr (Lanes % simd::width == 0) {
    for (std::size_t k = 0; k < inner; ++k)
      for (std::size_t lane = 0; lane < Lanes; lane += simd::width)
        simd::store(packed + k * Lanes + lane, simd::load(from + k * k_step + lane));
  } else {
    // Vector by vector, each store overlapping the last; what is read beyond the lanes is the matrix's, but
    // for its last row.
    constexpr std::size_t room = rounded_up(Lanes, simd::width);
    std::size_t k = 0;
    for (; k + 1 < inner; ++k)
      for (std::size_t lane = 0; lane < room; lane += simd::width)
        simd::store(packed + k * Lanes + lane, simd::load(from + k * k_step + lane));
    for (std::size_t lane = 0; lane < Lanes; ++lane)
      packed[k * Lanes + lane] = to_float(from[k * k_step + lane]);
  }
  if (rounded) round_to_bf16(packed, inner * Lanes);
}

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA::detail
