// Block-quantized numbers in GGUF's layouts, and their exact scalar conversions.
//
//   Q8_0   { f16 d; int8 q[32]; }      x[i] = d · q[i]                           34 bytes, 8.5 bits a weight
//   Q4_0   { f16 d; uint8 q[16]; }     x[i]      = d · ((q[i] & 15) − 8)         18 bytes, 4.5 bits a weight
//                                      x[i + 16] = d · ((q[i] >> 4) − 8)
//   Q4_K   of 256 numbers, here each 32 of them as  { f16 d, m; uint8 s, t, q[16]; }
//                                      x[i] = d · s · (q[i] & 15) − m · t  …    4.5 bits a weight in files
//
// A matrix in blocks is stored as rows [outputs, inputs]; a block holds 32 successive inputs of one output.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <transept/core/element_type.hpp>

namespace transept::inline TRANSEPT_ABI {

/// Numbers in a block of any block type.
inline constexpr std::size_t block_length = 32;

/// 32 numbers of 8 bits each.
struct q8_0_block {
  f16 scale;                          ///< d
  std::array<std::int8_t, 32> values; ///< q
};
static_assert(sizeof(q8_0_block) == 34);

/// 32 numbers of 4 bits each.
struct q4_0_block {
  f16 scale;                           ///< d
  std::array<std::uint8_t, 16> values; ///< q: the low halves are numbers 0 to 15, the high ones 16 to 31
};
static_assert(sizeof(q4_0_block) == 18);

/// 32 numbers of 4 bits each, an eighth of what files have as a block.
struct q4_k_block {
  f16 scale, least;                    ///< d, m
  std::uint8_t factor, offset;         ///< s, t: from 0 to 63
  std::array<std::uint8_t, 16> values; ///< q: the low halves are numbers 0 to 15, the high ones 16 to 31
};
static_assert(sizeof(q4_k_block) == 22);

/// Bytes of `count` elements; of a block type `count` must be a multiple of block_length.
constexpr std::size_t bytes_of(element_type type, std::size_t count) {
  if (type == element_type::q8_0) return count / block_length * sizeof(q8_0_block);
  if (type == element_type::q4_0) return count / block_length * sizeof(q4_0_block);
  if (type == element_type::q4_k) return count / block_length * sizeof(q4_k_block);
  return count * size_of(type);
}

/// out [block_length] = the numbers of a block, exact in f32.
TRANSEPT_ALWAYS_INLINE inline void dequantize(const q8_0_block& block, float* out) {
  const float scale = to_float(block.scale);
  for (std::size_t i = 0; i < block_length; ++i) out[i] = scale * static_cast<float>(block.values[i]);
}

/// The same of 4 bits.
TRANSEPT_ALWAYS_INLINE inline void dequantize(const q4_0_block& block, float* out) {
  const float scale = to_float(block.scale);
  for (std::size_t i = 0; i < 16; ++i) {
    out[i] = scale * static_cast<float>((block.values[i] & 15) - 8);
    out[i + 16] = scale * static_cast<float>((block.values[i] >> 4) - 8);
  }
}

/// The same of 4 bits with a least number.
TRANSEPT_ALWAYS_INLINE inline void dequantize(const q4_k_block& block, float* out) {
  const float scale = to_float(block.scale) * static_cast<float>(block.factor);
  const float least = to_float(block.least) * static_cast<float>(block.offset);
  for (std::size_t i = 0; i < 16; ++i) {
    out[i] = scale * static_cast<float>(block.values[i] & 15) - least;
    out[i + 16] = scale * static_cast<float>(block.values[i] >> 4) - least;
  }
}

namespace detail {

/// What no block can hold: a scale of NaN, so that it shows at the first logits.
inline constexpr f16 not_a_number{0x7e00};

} // namespace detail

} // namespace transept::inline TRANSEPT_ABI
