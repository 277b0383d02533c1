// Operands of products of bf16, as AMX takes them: tiles of 16 rows × 32 bf16.
//
//   activations  [16 rows][32 inputs]                w   [16 pairs of inputs][16 outputs][2]
//
// A number comes in one part or in two: x ≈ high + low, where high is x rounded to bf16, and low what that
// took away, rounded again. One part errs by 2⁻⁸ of x at most, two by 2⁻¹⁶. What a matrix lacks to whole
// tiles is zero. Numbers below 2⁻¹²⁶ count as zero, and of an infinity, or of a number that bf16 rounds to
// one, the second part is NaN.
#pragma once

#include <algorithm>
#include <cstddef>
#include <type_traits>

#include <transept/core/element_type.hpp>
#include <transept/kernels/vector/float_panels.hpp>
#include <transept/kernels/vector/prefetch.hpp>
#include <transept/kernels/vector/x86/amx.hpp>
#include <transept/simd/batch.hpp>
#include <transept/simd/unroll.hpp>

#if TRANSEPT_HAS_BF16_DOT

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA::tiles {

using amx::tile_bytes;
using amx::tile_row_bytes;
using amx::tile_rows;
inline constexpr std::size_t tile_inner = 32;
inline constexpr std::size_t tile_outputs = 16;
inline constexpr std::size_t tile_elements = tile_bytes / sizeof(bf16);

namespace detail {

constexpr __mmask16 first_lanes(std::size_t count) {
  return static_cast<__mmask16>(count >= 16 ? 0xffffu : (1u << count) - 1u);
}

/// 16 numbers; those of other lanes are not read, and 0.
inline __m512 load_lanes(const float* from, __mmask16 lanes) { return _mm512_maskz_loadu_ps(lanes, from); }
inline __m512 load_lanes(const f16* from, __mmask16 lanes) {
  return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(lanes, from));
}

/// The numbers of a vector's first or second 16 bf16.
template <int Half>
__m512 widen(__m512i values) {
  return _mm512_castsi512_ps(
      _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(values, Half)), 16));
}

/// Twice 16 numbers in parts.
template <std::size_t Parts>
void split(__m512 first, __m512 second, __m512i (&parts)[Parts]) {
  parts[0] = reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(second, first));
  if constexpr (Parts == 2)
    parts[1] = reinterpret_cast<__m512i>(
        _mm512_cvtne2ps_pbh(second - widen<1>(parts[0]), first - widen<0>(parts[0])));
}

template <std::size_t Parts, class T>
void load_parts(const T* first, __mmask16 first_lanes, const T* second, __mmask16 second_lanes,
                __m512i (&parts)[Parts]) {
  split(load_lanes(first, first_lanes), load_lanes(second, second_lanes), parts);
}

inline void load_parts(const bf16* first, __mmask16 first_lanes, const bf16* second, __mmask16 second_lanes,
                       __m512i (&parts)[1]) {
  parts[0] = _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_maskz_loadu_epi16(first_lanes, first)),
                                _mm256_maskz_loadu_epi16(second_lanes, second), 1);
}

/// tile [16][16] pairs of bf16 → its transpose.
inline void transpose_pairs(bf16* tile) {
  __m512i a[16], b[16];
  const auto row = [&](std::size_t i) { return tile + i * tile_inner; };
  simd::unroll<16>([&](auto i) TRANSEPT_ALWAYS_INLINE { a[i] = _mm512_load_si512(row(i)); });
  simd::unroll<8>([&](auto i) TRANSEPT_ALWAYS_INLINE {
    b[2 * i] = _mm512_unpacklo_epi32(a[2 * i], a[2 * i + 1]);
    b[2 * i + 1] = _mm512_unpackhi_epi32(a[2 * i], a[2 * i + 1]);
  });
  simd::unroll<8>([&](auto i) TRANSEPT_ALWAYS_INLINE {
    constexpr std::size_t from = i / 2 * 4 + i % 2;
    a[2 * i] = _mm512_unpacklo_epi64(b[from], b[from + 2]);
    a[2 * i + 1] = _mm512_unpackhi_epi64(b[from], b[from + 2]);
  });
  // Now quarter q of a[4 g + c] is column 4 q + c of rows 4 g … 4 g + 3.
  simd::unroll<4>([&](auto c) TRANSEPT_ALWAYS_INLINE {
    const __m512i even_above = _mm512_shuffle_i32x4(a[c], a[4 + c], 0x88);
    const __m512i even_below = _mm512_shuffle_i32x4(a[8 + c], a[12 + c], 0x88);
    const __m512i odd_above = _mm512_shuffle_i32x4(a[c], a[4 + c], 0xdd);
    const __m512i odd_below = _mm512_shuffle_i32x4(a[8 + c], a[12 + c], 0xdd);
    _mm512_store_si512(row(c), _mm512_shuffle_i32x4(even_above, even_below, 0x88));
    _mm512_store_si512(row(4 + c), _mm512_shuffle_i32x4(odd_above, odd_below, 0x88));
    _mm512_store_si512(row(8 + c), _mm512_shuffle_i32x4(even_above, even_below, 0xdd));
    _mm512_store_si512(row(12 + c), _mm512_shuffle_i32x4(odd_above, odd_below, 0xdd));
  });
}

} // namespace detail

/// tiles [Parts][16][32] = from[r, k], of which `rows` (≤ 16, at least 1) × `cols` (≤ 32) exist.
template <std::size_t Parts, class T>
void pack_rows(const T* from, std::size_t stride, std::size_t rows, std::size_t cols, bf16* tiles) {
  const std::size_t near = std::min<std::size_t>(cols, 16);
  const __mmask16 near_lanes = detail::first_lanes(near), far_lanes = detail::first_lanes(cols - near);
  for (std::size_t r = 0; r < tile_rows; ++r) {
    const T* const row = from + std::min(r, rows - 1) * stride;
    const bool exists = r < rows;
    __m512i parts[Parts];
    detail::load_parts(row, exists ? near_lanes : __mmask16{}, row + near, exists ? far_lanes : __mmask16{},
                       parts);
    simd::unroll<Parts>([&](auto p) TRANSEPT_ALWAYS_INLINE {
      _mm512_store_si512(tiles + p * tile_elements + r * tile_inner, parts[p]);
    });
  }
}

/// tiles [Parts][16 pairs][16 outputs][2] = w[k, n], w [inputs, outputs] by rows `stride` apart, of which
/// `inputs` (≤ 32, at least 1) × `outputs` (≤ 16) exist.
template <std::size_t Parts, class T>
void pack_inputs(const T* w, std::size_t stride, std::size_t inputs, std::size_t outputs, bf16* tiles) {
  alignas(64) static constexpr std::int16_t one_of_each[32] = {0,  16, 1,  17, 2,  18, 3,  19, 4,  20, 5,
                                                               21, 6,  22, 7,  23, 8,  24, 9,  25, 10, 26,
                                                               11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  const __m512i interleave = _mm512_load_si512(one_of_each);
  const __mmask16 lanes = detail::first_lanes(outputs);
  const auto lanes_of = [&](std::size_t k) { return k < inputs ? lanes : __mmask16{}; };
  for (std::size_t j = 0; j < tile_rows; ++j) {
    const T* const even = w + std::min(2 * j, inputs - 1) * stride;
    const T* const odd = w + std::min(2 * j + 1, inputs - 1) * stride;
    kernels::detail::prefetch(even, tile_inner * stride); // for the tile below
    kernels::detail::prefetch(odd, tile_inner * stride);
    __m512i parts[Parts];
    detail::load_parts(even, lanes_of(2 * j), odd, lanes_of(2 * j + 1), parts);
    simd::unroll<Parts>([&](auto p) TRANSEPT_ALWAYS_INLINE {
      _mm512_store_si512(tiles + p * tile_elements + j * tile_inner,
                         _mm512_permutexvar_epi16(interleave, parts[p]));
    });
  }
}

/// The same for w [outputs, inputs] by rows.
template <std::size_t Parts, class T>
void pack_outputs(const T* w, std::size_t stride, std::size_t inputs, std::size_t outputs, bf16* tiles) {
  pack_rows<Parts>(w, stride, outputs, inputs, tiles);
  for (std::size_t p = 0; p < Parts; ++p) detail::transpose_pairs(tiles + p * tile_elements);
}

/// tiles [Parts][16][32] = from[k, r], rows of `inputs` by rows `stride` apart: pack_rows of the transpose.
template <std::size_t Parts, class T>
void pack_columns(const T* from, std::size_t stride, std::size_t rows, std::size_t inputs, bf16* tiles) {
  pack_inputs<Parts>(from, stride, inputs, rows, tiles);
  for (std::size_t p = 0; p < Parts; ++p) detail::transpose_pairs(tiles + p * tile_elements);
}

/// The same for a panel of weights (float_panels.hpp), from an even input on.
template <std::size_t Parts, class T>
void pack_panel(const T* panel, std::size_t inputs, bf16* tiles) {
  if constexpr (std::is_same_v<T, bf16>) { // a tile as it lies
    const std::size_t count = (inputs + 1) / 2 * 2 * panel_outputs;
    std::copy_n(panel, count, tiles);
    std::fill(tiles + count, tiles + tile_elements, bf16{});
  } else {
    pack_inputs<Parts>(panel, panel_outputs, inputs, panel_outputs, tiles);
  }
}

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA::tiles

#endif
