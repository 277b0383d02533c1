// Block formats of GGUF files that are read: their numbers become f32, and a model's matrices Q8_0 unless
// another type is asked for. Q4_K alone is computed with as it is. Layouts are GGML's; a matrix's rows are
// whole blocks.
//
//   Q4_1  { f16 d, m; uint8 q[16]; }                       d · q + m, of 4 bits                 32 numbers
//   Q5_0  { f16 d; uint8 h[4], q[16]; }                    d · (q − 16), of 5 bits
//   Q5_1  { f16 d, m; uint8 h[4], q[16]; }                 d · q + m
//   Q2_K  { uint8 s[16], q[64]; f16 d, m; }                d · s · q − m · t, of 2 bits        256 numbers
//   Q3_K  { uint8 h[32], q[64], s[12]; f16 d; }            d · (s − 32) · (q − 4)
//   Q4_K  { f16 d, m; uint8 s[12], q[128]; }               d · s · q − m · t
//   Q5_K  { f16 d, m; uint8 s[12], h[32], q[128]; }        d · s · q − m · t
//   Q6_K  { uint8 q[128], h[64]; int8 s[16]; f16 d; }      d · s · (q − 32)
//
// h has the highest bits. In those of 256, s (and t) are scales of 16 or 32 numbers each. All results are
// exact products with one rounding, the same on every machine.
#pragma once

#include <cstddef>
#include <string_view>

#include <transept/core/blocks.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A block format.
struct stored_blocks {
  std::string_view name;                                  ///< as GGUF calls it: "Q4_K"
  std::size_t block_length;                               ///< numbers in a block
  std::size_t block_bytes;                                ///< bytes of one
  void (*read_block)(const std::byte* block, float* out); ///< out [block_length] = the numbers of a block
};

/// The format of this name, or nullptr.
TRANSEPT_FUNCTION const stored_blocks* find_stored_blocks(std::string_view name);

/// out [count / 32] = `count` numbers of Q4_K, whole blocks, as the kernels have them.
TRANSEPT_FUNCTION void split_q4_k(const std::byte* blocks, std::size_t count, q4_k_block* out);

/// out [count] = the numbers of whole blocks.
TRANSEPT_FUNCTION void read_blocks(const stored_blocks& format, const std::byte* blocks, std::size_t count,
                                   float* out);

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/io/impl/stored_blocks.hpp>
#endif
