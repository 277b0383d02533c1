// The innermost step of the products with block-quantized weights: for the sixteen outputs of each of some
// panels, the exact integer sums over one block of 32 inputs
//
//   sums[p][r][o] = Σᵢ x[r][i] · w[p][i][o]  x int8 in [−127, 127], w int8 (Q8_0) or 0 … 15 less 8 (Q4_0)
//
// in the layout of panels.hpp. Being integers, they are the same on every machine: dot products of four bytes
// where the build has them (VNNI, as AVX-512 or AVX-VNNI has it), AVX2's of two, and plain loops elsewhere
// (SSE2, NEON), which the compiler vectorises. `x_sum` is Σᵢ x[r][i]: what makes up for weights that are read
// as unsigned.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include <transept/kernels/vector/panels.hpp>
#include <transept/simd/unroll.hpp>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA::detail {

/// One block of quantized activations of each of some rows.
struct x_block {
  const std::int8_t* values; ///< [32]
  const std::int32_t* sum;   ///< Σ values
  std::size_t blocks;        ///< from a row's to the next row's

  const std::int8_t* row(std::size_t r) const { return values + r * blocks * block_length; }
  std::int32_t row_sum(std::size_t r) const { return sum[r * blocks]; }
};

using q8_values = std::int8_t[8][panel_outputs][4];
using q4_values = std::uint8_t[4][panel_outputs][4];
using output_sums = std::int32_t[panel_outputs];

/// The same address, of which the compiler does not know it: what lies there is read for each use anew, not
/// kept, for want of registers, on the stack.
inline const std::int8_t* read_again(const std::int8_t* from) {
#if defined(__GNUC__)
  asm volatile("" : "+r"(from));
#endif
  return from;
}

#if TRANSEPT_VNNI_BITS

#if TRANSEPT_VNNI_BITS == 512
using dot_vector = __m512i;
inline dot_vector everywhere(std::int32_t value) { return _mm512_set1_epi32(value); }
inline dot_vector load_bytes(const void* from) { return _mm512_load_si512(from); }
inline dot_vector exclusive_or(dot_vector a, dot_vector b) { return _mm512_xor_si512(a, b); }
inline dot_vector low_nibbles(dot_vector a) { return _mm512_and_si512(a, _mm512_set1_epi8(15)); }
inline dot_vector high_nibbles(dot_vector a) { return low_nibbles(_mm512_srli_epi16(a, 4)); }
/// sums[o] + Σᵢ w[o][i] · x[o][i], i < 4, w unsigned.
inline dot_vector add_dots(dot_vector sums, dot_vector w, dot_vector x) {
  return _mm512_dpbusd_epi32(sums, w, x);
}
inline void store_sums(std::int32_t* to, dot_vector sums) { _mm512_storeu_si512(to, sums); }
#else
using dot_vector = __m256i;
inline dot_vector everywhere(std::int32_t value) { return _mm256_set1_epi32(value); }
inline dot_vector load_bytes(const void* from) {
  return _mm256_load_si256(static_cast<const __m256i*>(from));
}
inline dot_vector exclusive_or(dot_vector a, dot_vector b) { return _mm256_xor_si256(a, b); }
inline dot_vector low_nibbles(dot_vector a) { return _mm256_and_si256(a, _mm256_set1_epi8(15)); }
inline dot_vector high_nibbles(dot_vector a) { return low_nibbles(_mm256_srli_epi16(a, 4)); }
inline dot_vector add_dots(dot_vector sums, dot_vector w, dot_vector x) {
  return _mm256_dpbusd_avx_epi32(sums, w, x);
}
inline void store_sums(std::int32_t* to, dot_vector sums) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), sums);
}
#endif

inline constexpr std::size_t dot_outputs = sizeof(dot_vector) / sizeof(std::int32_t);
inline constexpr std::size_t dot_parts = panel_outputs / dot_outputs;

inline dot_vector four_inputs_everywhere(const std::int8_t* x) {
  std::int32_t bits;
  std::memcpy(&bits, x, sizeof bits);
  return everywhere(bits);
}

/// Adds the products of a vector of weights of each panel with four inputs of each row, those at `input`.
template <std::size_t Rows, std::size_t Panels>
TRANSEPT_ALWAYS_INLINE inline void add_four_inputs(const dot_vector (&weights)[Panels],
                                                   const std::int8_t* const (&values)[Rows],
                                                   std::size_t input, dot_vector (&totals)[Panels][Rows]) {
  simd::unroll<Rows>([&](auto r) TRANSEPT_ALWAYS_INLINE {
    const dot_vector x = four_inputs_everywhere(values[r] + input);
    simd::unroll<Panels>(
        [&](auto p) TRANSEPT_ALWAYS_INLINE { totals[p][r] = add_dots(totals[p][r], weights[p], x); });
  });
}

/// Eight times four inputs, of weights as they are in a block: w + 128, to be unsigned, and 128 · Σx off.
template <std::size_t Rows, std::size_t Panels>
TRANSEPT_ALWAYS_INLINE inline void add_block_dots(const q8_values* const (&w)[Panels], std::size_t output,
                                                  const std::int8_t* const (&values)[Rows],
                                                  dot_vector (&totals)[Panels][Rows]) {
  const dot_vector flip = everywhere(static_cast<std::int32_t>(0x80808080u));
  simd::unroll<8>([&](auto v) TRANSEPT_ALWAYS_INLINE {
    dot_vector weights[Panels];
    simd::unroll<Panels>([&](auto p) TRANSEPT_ALWAYS_INLINE {
      weights[p] = exclusive_or(load_bytes((*w[p])[v][output]), flip);
    });
    add_four_inputs(weights, values, 4 * v, totals);
  });
}

template <std::size_t Rows, std::size_t Panels>
TRANSEPT_ALWAYS_INLINE inline void add_block_dots(const q4_values* const (&w)[Panels], std::size_t output,
                                                  const std::int8_t* const (&values)[Rows],
                                                  dot_vector (&totals)[Panels][Rows]) {
  simd::unroll<4>([&](auto v) TRANSEPT_ALWAYS_INLINE {
    dot_vector low[Panels], high[Panels];
    simd::unroll<Panels>([&](auto p) TRANSEPT_ALWAYS_INLINE {
      const dot_vector both = load_bytes((*w[p])[v][output]);
      low[p] = low_nibbles(both);
      high[p] = high_nibbles(both);
    });
    add_four_inputs(low, values, 4 * v, totals);
    add_four_inputs(high, values, 16 + 4 * v, totals);
  });
}

template <class Values>
inline constexpr std::int32_t weight_offset = std::is_same_v<Values, q8_values> ? 128 : 8;

template <std::size_t Rows, std::size_t Panels, class Values>
TRANSEPT_ALWAYS_INLINE inline void block_sums(const Values* const (&w)[Panels], const x_block& x,
                                              output_sums (*sums)[Rows]) {
  simd::unroll<dot_parts>([&](auto part) TRANSEPT_ALWAYS_INLINE {
    constexpr std::size_t o = part * dot_outputs;
    dot_vector totals[Panels][Rows];
    const std::int8_t* values[Rows];
    simd::unroll<Rows>([&](auto r) TRANSEPT_ALWAYS_INLINE {
      const dot_vector beforehand = everywhere(-weight_offset<Values> * x.row_sum(r));
      simd::unroll<Panels>([&](auto p) TRANSEPT_ALWAYS_INLINE { totals[p][r] = beforehand; });
      values[r] = read_again(x.row(r));
    });
    add_block_dots(w, o, values, totals);
    simd::unroll<Panels * Rows>([&](auto i) TRANSEPT_ALWAYS_INLINE {
      store_sums(sums[i / Rows][i % Rows] + o, totals[i / Rows][i % Rows]);
    });
  });
}

#elif defined(__AVX2__)

/// The same sums, of which the compiler knows no more how they came about: integers may be added in any
/// order, and GCC would keep the products of a whole block, on the stack, to add them by pairs.
inline __m256i in_this_order(__m256i sums) {
#if defined(__GNUC__)
  asm("" : "+x"(sums));
#endif
  return sums;
}

inline __m256i four_inputs_everywhere(const std::int8_t* x) {
  int bits;
  std::memcpy(&bits, x, sizeof bits);
  return _mm256_set1_epi32(bits);
}

inline __m256i eight_outputs(const void* from) {
  return _mm256_load_si256(static_cast<const __m256i*>(from));
}

template <std::size_t Rows>
TRANSEPT_ALWAYS_INLINE inline void panel_sums(const q8_values& w, const x_block& x, output_sums* sums) {
  // vpmaddubsw multiplies unsigned by signed: |w| · (±x). Two products are at most 2 · 128 · 127 = 32512.
  const __m256i ones = _mm256_set1_epi16(1);
  simd::unroll<2>([&](auto half) TRANSEPT_ALWAYS_INLINE {
    __m256i total[Rows];
    const std::int8_t* values[Rows];
    simd::unroll<Rows>([&](auto r) TRANSEPT_ALWAYS_INLINE {
      total[r] = _mm256_setzero_si256();
      values[r] = read_again(x.row(r));
    });
    simd::unroll<8>([&](auto v) TRANSEPT_ALWAYS_INLINE {
      const __m256i weights = eight_outputs(w[v][8 * half]);
      const __m256i magnitudes = _mm256_abs_epi8(weights);
      simd::unroll<Rows>([&](auto r) TRANSEPT_ALWAYS_INLINE {
        const __m256i inputs = _mm256_sign_epi8(four_inputs_everywhere(values[r] + 4 * v), weights);
        const __m256i pairs = _mm256_maddubs_epi16(magnitudes, inputs);
        total[r] = in_this_order(_mm256_add_epi32(total[r], _mm256_madd_epi16(pairs, ones)));
      });
    });
    simd::unroll<Rows>([&](auto r) TRANSEPT_ALWAYS_INLINE {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(sums[r] + 8 * half), total[r]);
    });
  });
}

template <std::size_t Rows>
TRANSEPT_ALWAYS_INLINE inline void panel_sums(const q4_values& w, const x_block& x, output_sums* sums) {
  // Eight times two products of at most 15 · 127 fit 16 bits: 30480.
  const __m256i ones = _mm256_set1_epi16(1);
  const __m256i nibble = _mm256_set1_epi8(15);
  simd::unroll<2>([&](auto half) TRANSEPT_ALWAYS_INLINE {
    __m256i pairs[Rows];
    const std::int8_t* values[Rows];
    simd::unroll<Rows>([&](auto r) TRANSEPT_ALWAYS_INLINE {
      pairs[r] = _mm256_setzero_si256();
      values[r] = read_again(x.row(r));
    });
    simd::unroll<4>([&](auto v) TRANSEPT_ALWAYS_INLINE {
      const __m256i both = eight_outputs(w[v][8 * half]);
      const __m256i low = _mm256_and_si256(both, nibble);
      const __m256i high = _mm256_and_si256(_mm256_srli_epi16(both, 4), nibble);
      simd::unroll<Rows>([&](auto r) TRANSEPT_ALWAYS_INLINE {
        const __m256i near = _mm256_maddubs_epi16(low, four_inputs_everywhere(values[r] + 4 * v));
        const __m256i far = _mm256_maddubs_epi16(high, four_inputs_everywhere(values[r] + 16 + 4 * v));
        pairs[r] = in_this_order(_mm256_add_epi16(pairs[r], _mm256_add_epi16(near, far)));
      });
    });
    simd::unroll<Rows>([&](auto r) TRANSEPT_ALWAYS_INLINE {
      const __m256i total =
          _mm256_sub_epi32(_mm256_madd_epi16(pairs[r], ones), _mm256_set1_epi32(8 * x.row_sum(r)));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(sums[r] + 8 * half), total);
    });
  });
}

#else

/// sums[o] += Σᵢ x[i] · w[o][i], i < 4.
template <class Byte>
inline void add_four_inputs(const Byte (&w)[panel_outputs][4], const std::int8_t* x, output_sums& sums) {
  for (std::size_t o = 0; o < panel_outputs; ++o)
    for (std::size_t i = 0; i < 4; ++i) sums[o] += std::int32_t{x[i]} * std::int32_t{w[o][i]};
}

template <std::size_t Rows>
inline void panel_sums(const q8_values& w, const x_block& x, output_sums* sums) {
  for (std::size_t r = 0; r < Rows; ++r) {
    output_sums total{};
    for (std::size_t v = 0; v < 8; ++v) add_four_inputs(w[v], x.row(r) + 4 * v, total);
    std::memcpy(sums[r], total, sizeof total);
  }
}

template <std::size_t Rows>
inline void panel_sums(const q4_values& w, const x_block& x, output_sums* sums) {
  for (std::size_t r = 0; r < Rows; ++r) {
    output_sums total;
    for (std::int32_t& each : total) each = -8 * x.row_sum(r);
    for (std::size_t v = 0; v < 4; ++v) {
      std::uint8_t low[panel_outputs][4], high[panel_outputs][4];
      for (std::size_t o = 0; o < panel_outputs; ++o) {
        for (std::size_t i = 0; i < 4; ++i) {
          low[o][i] = w[v][o][i] & 15;
          high[o][i] = w[v][o][i] >> 4;
        }
      }
      add_four_inputs(low, x.row(r) + 4 * v, total);
      add_four_inputs(high, x.row(r) + 16 + 4 * v, total);
    }
    std::memcpy(sums[r], total, sizeof total);
  }
}

#endif

#if !TRANSEPT_VNNI_BITS

template <std::size_t Rows, std::size_t Panels, class Values>
TRANSEPT_ALWAYS_INLINE inline void block_sums(const Values* const (&w)[Panels], const x_block& x,
                                              output_sums (*sums)[Rows]) {
  simd::unroll<Panels>([&](auto p) TRANSEPT_ALWAYS_INLINE { panel_sums<Rows>(*w[p], x, sums[p]); });
}

#endif

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA::detail
