// How blocks become numbers (io/stored_blocks.hpp).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include <transept/core/element_type.hpp>
#include <transept/io/stored_blocks.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

/// The fields of a block, in their order.
class block_fields {
public:
  explicit block_fields(const std::byte* at) : at_(reinterpret_cast<const std::uint8_t*>(at)) {}

  f16 f16_bits() {
    f16 value;
    std::memcpy(&value, bytes(sizeof value), sizeof value);
    return value;
  }
  float half() { return to_float(f16_bits()); }
  const std::uint8_t* bytes(std::size_t count) {
    const std::uint8_t* const begin = at_;
    at_ += count;
    return begin;
  }

private:
  const std::uint8_t* at_;
};

/// 32 numbers of 4 bits: the low halves of 16 bytes, then the high ones.
constexpr int nibble(const std::uint8_t* values, std::size_t i) {
  return i < 16 ? values[i] & 15 : values[i - 16] >> 4;
}

/// Bit i of bytes.
constexpr int bit(const std::uint8_t* bits, std::size_t i) { return (bits[i / 8] >> (i % 8)) & 1; }

inline void read_q4_1(const std::byte* block, float* out) {
  block_fields fields(block);
  const float scale = fields.half(), least = fields.half();
  const std::uint8_t* const values = fields.bytes(16);
  for (std::size_t i = 0; i < 32; ++i) out[i] = scale * static_cast<float>(nibble(values, i)) + least;
}

inline void read_q5_0(const std::byte* block, float* out) {
  block_fields fields(block);
  const float scale = fields.half();
  const std::uint8_t *const high = fields.bytes(4), *const values = fields.bytes(16);
  for (std::size_t i = 0; i < 32; ++i)
    out[i] = scale * static_cast<float>(nibble(values, i) + 16 * bit(high, i) - 16);
}

inline void read_q5_1(const std::byte* block, float* out) {
  block_fields fields(block);
  const float scale = fields.half(), least = fields.half();
  const std::uint8_t *const high = fields.bytes(4), *const values = fields.bytes(16);
  for (std::size_t i = 0; i < 32; ++i)
    out[i] = scale * static_cast<float>(nibble(values, i) + 16 * bit(high, i)) + least;
}

/// Some bits of 16 numbers that lie in as many bytes.
struct bits_of_16 {
  const std::uint8_t* bytes;
  int shift, mask;

  int operator[](std::size_t i) const { return (bytes[i] >> shift) & mask; }
};

/// Those of numbers `first` to first + 15 of 256 that have 2 bits each: 32 bytes hold 128 numbers, of which
/// 32 share a place in the bytes.
constexpr bits_of_16 two_bits(const std::uint8_t* values, std::size_t first) {
  return {values + first / 128 * 32 + first % 32, static_cast<int>(first % 128 / 32 * 2), 3};
}

/// The same of 4 bits: 32 bytes hold 64 numbers.
constexpr bits_of_16 four_bits(const std::uint8_t* values, std::size_t first) {
  return {values + first / 64 * 32 + first % 32, static_cast<int>(first % 64 / 32 * 4), 15};
}

/// The same of 1 bit: 32 bytes hold all.
constexpr bits_of_16 one_bit(const std::uint8_t* values, std::size_t first) {
  return {values + first % 32, static_cast<int>(first / 32), 1};
}

inline void read_q2_k(const std::byte* block, float* out) {
  block_fields fields(block);
  const std::uint8_t *const scales = fields.bytes(16), *const values = fields.bytes(64);
  const float scale = fields.half(), least = fields.half();
  for (std::size_t first = 0; first < 256; first += 16) {
    const std::uint8_t both = scales[first / 16];
    const float own_scale = scale * static_cast<float>(both & 15),
                own_least = least * static_cast<float>(both >> 4);
    const bits_of_16 low = two_bits(values, first);
    for (std::size_t i = 0; i < 16; ++i) out[first + i] = own_scale * static_cast<float>(low[i]) - own_least;
  }
}

inline void read_q3_k(const std::byte* block, float* out) {
  block_fields fields(block);
  const std::uint8_t *const high = fields.bytes(32), *const values = fields.bytes(64),
                            *const scales = fields.bytes(12);
  const float scale = fields.half();
  const auto scale_of = [&](std::size_t i) { // of 16, of 6 bits each
    const int low = i < 8 ? scales[i] & 15 : scales[i - 8] >> 4;
    return (low | ((scales[8 + i % 4] >> (i / 4 * 2)) & 3) << 4) - 32;
  };
  for (std::size_t first = 0; first < 256; first += 16) {
    const float own_scale = scale * static_cast<float>(scale_of(first / 16));
    const bits_of_16 low = two_bits(values, first), top = one_bit(high, first);
    for (std::size_t i = 0; i < 16; ++i)
      out[first + i] = own_scale * static_cast<float>(low[i] + 4 * top[i] - 4);
  }
}

/// The scale and the least of 32 numbers, of 6 bits each: 8 pairs in 12 bytes.
struct scale_and_least {
  int scale, least;

  scale_and_least(const std::uint8_t* s, std::size_t i)
      : scale(i < 4 ? s[i] & 63 : (s[i + 4] & 15) | (s[i - 4] >> 6) << 4),
        least(i < 4 ? s[i + 4] & 63 : (s[i + 4] >> 4) | (s[i] >> 6) << 4) {}
};

/// out [8] = the blocks of 32 numbers that one block of Q4_K is.
inline void split_q4_k(const std::byte* block, q4_k_block* out) {
  block_fields fields(block);
  const f16 scale = fields.f16_bits(), least = fields.f16_bits();
  const std::uint8_t *const scales = fields.bytes(12), *const values = fields.bytes(128);
  for (std::size_t b = 0; b < 8; ++b) {
    const scale_and_least of(scales, b);
    out[b] = {scale, least, static_cast<std::uint8_t>(of.scale), static_cast<std::uint8_t>(of.least), {}};
    const bits_of_16 low = four_bits(values, b * 32), high = four_bits(values, b * 32 + 16);
    for (std::size_t i = 0; i < 16; ++i) out[b].values[i] = static_cast<std::uint8_t>(low[i] | high[i] << 4);
  }
}

inline void read_q4_k(const std::byte* block, float* out) {
  q4_k_block parts[8];
  split_q4_k(block, parts);
  for (std::size_t b = 0; b < 8; ++b) dequantize(parts[b], out + b * block_length);
}

inline void read_q5_k(const std::byte* block, float* out) {
  block_fields fields(block);
  const float scale = fields.half(), least = fields.half();
  const std::uint8_t *const scales = fields.bytes(12), *const high = fields.bytes(32),
                            *const values = fields.bytes(128);
  for (std::size_t first = 0; first < 256; first += 16) {
    const scale_and_least of(scales, first / 32);
    const float own_scale = scale * static_cast<float>(of.scale),
                own_least = least * static_cast<float>(of.least);
    const bits_of_16 low = four_bits(values, first), top = one_bit(high, first);
    for (std::size_t i = 0; i < 16; ++i)
      out[first + i] = own_scale * static_cast<float>(low[i] + 16 * top[i]) - own_least;
  }
}

inline void read_q6_k(const std::byte* block, float* out) {
  block_fields fields(block);
  const std::uint8_t *const low = fields.bytes(128), *const high = fields.bytes(64),
                            *const scales = fields.bytes(16);
  const float scale = fields.half();
  for (std::size_t first = 0; first < 256; first += 16) {
    const float own_scale = scale * static_cast<float>(static_cast<std::int8_t>(scales[first / 16]));
    const std::size_t within = first % 128; // 64 bytes hold 128 numbers' low halves
    const bits_of_16 bottom{low + first / 128 * 64 + within % 64, static_cast<int>(within / 64 * 4), 15},
        top = two_bits(high, first);
    for (std::size_t i = 0; i < 16; ++i)
      out[first + i] = own_scale * static_cast<float>((bottom[i] | top[i] << 4) - 32);
  }
}

} // namespace detail

TRANSEPT_FUNCTION const stored_blocks* find_stored_blocks(std::string_view name) {
  static constexpr std::array<stored_blocks, 8> known{{
      {"Q4_1", 32, 20, detail::read_q4_1},
      {"Q5_0", 32, 22, detail::read_q5_0},
      {"Q5_1", 32, 24, detail::read_q5_1},
      {"Q2_K", 256, 84, detail::read_q2_k},
      {"Q3_K", 256, 110, detail::read_q3_k},
      {"Q4_K", 256, 144, detail::read_q4_k},
      {"Q5_K", 256, 176, detail::read_q5_k},
      {"Q6_K", 256, 210, detail::read_q6_k},
  }};
  for (const stored_blocks& format : known)
    if (format.name == name) return &format;
  return nullptr;
}

TRANSEPT_FUNCTION void split_q4_k(const std::byte* blocks, std::size_t count, q4_k_block* out) {
  const stored_blocks& format = *find_stored_blocks("Q4_K");
  for (std::size_t i = 0; i < count; i += format.block_length) {
    detail::split_q4_k(blocks, out + i / block_length);
    blocks += format.block_bytes;
  }
}

TRANSEPT_FUNCTION void read_blocks(const stored_blocks& format, const std::byte* blocks, std::size_t count,
                                   float* out) {
  for (std::size_t i = 0; i < count; i += format.block_length) {
    format.read_block(blocks, out + i);
    blocks += format.block_bytes;
  }
}

} // namespace transept::inline TRANSEPT_ABI
