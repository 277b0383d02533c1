// Block-quantized numbers in GGUF's layouts, and their exact scalar conversions.
//
//   Q8_0   { f16 d; int8 q[32]; }      x[i] = d · q[i]                           34 bytes, 8.5 bits a weight
//   Q4_0   { f16 d; uint8 q[16]; }     x[i]      = d · ((q[i] & 15) − 8)         18 bytes, 4.5 bits a weight
//                                      x[i + 16] = d · ((q[i] >> 4) − 8)
//
// A matrix in blocks is stored as rows [outputs, inputs]; a block holds 32 successive inputs of one output.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include <transept/core/element_type.hpp>

namespace transept::inline TRANSEPT_ABI {

/// Numbers in a block of any block type.
inline constexpr std::size_t block_length = 32;

struct q8_0_block {
  f16 scale;
  std::array<std::int8_t, 32> values;
};
static_assert(sizeof(q8_0_block) == 34);

struct q4_0_block {
  f16 scale;
  std::array<std::uint8_t, 16> values;
};
static_assert(sizeof(q4_0_block) == 18);

/// Bytes of `count` elements; of a block type `count` must be a multiple of block_length.
constexpr std::size_t bytes_of(element_type type, std::size_t count) {
  if (type == element_type::q8_0) return count / block_length * sizeof(q8_0_block);
  if (type == element_type::q4_0) return count / block_length * sizeof(q4_0_block);
  return count * size_of(type);
}

inline void dequantize(const q8_0_block& block, float* out) {
  const float scale = to_float(block.scale);
  for (std::size_t i = 0; i < block_length; ++i) out[i] = scale * static_cast<float>(block.values[i]);
}

inline void dequantize(const q4_0_block& block, float* out) {
  const float scale = to_float(block.scale);
  for (std::size_t i = 0; i < 16; ++i) {
    out[i] = scale * static_cast<float>((block.values[i] & 15) - 8);
    out[i + 16] = scale * static_cast<float>((block.values[i] >> 4) - 8);
  }
}

namespace detail {

/// What no block can hold: a scale of NaN, so that it shows at the first logits.
inline constexpr f16 not_a_number{0x7e00};

/// The element of greatest magnitude; NaN where there is one, or an infinity.
inline float most_extreme(const float* x) {
  float most = 0.0f;
  for (std::size_t i = 0; i < block_length; ++i) {
    if (!std::isfinite(x[i])) return std::numeric_limits<float>::quiet_NaN();
    if (std::abs(x[i]) > std::abs(most)) most = x[i];
  }
  return most;
}

using block_integers = std::array<std::int32_t, block_length>;

/// The nearest integer to x · inverse in [least, most] (|x · inverse| < 2²²), ties to even: adding 1.5 · 2²³
/// leaves it in the low bits. Simple loops, which compilers make vectors of.
inline void round_block(const float* x, float inverse, std::int32_t least, std::int32_t most,
                        block_integers& out) {
  for (std::size_t i = 0; i < block_length; ++i) {
    const std::int32_t nearest = std::bit_cast<std::int32_t>(x[i] * inverse + 12582912.0f) - 0x4b400000;
    out[i] = std::min(std::max(nearest, least), most);
  }
}

/// Σ (x − scale · q)²
inline float squared_error(const float* x, float scale, const block_integers& q) {
  std::array<float, 8> part{};
  for (std::size_t i = 0; i < block_length; i += part.size()) {
    for (std::size_t lane = 0; lane < part.size(); ++lane) {
      const float difference = x[i + lane] - scale * static_cast<float>(q[i + lane]);
      part[lane] += difference * difference;
    }
  }
  return ((part[0] + part[4]) + (part[1] + part[5])) + ((part[2] + part[6]) + (part[3] + part[7]));
}

} // namespace detail

/// The nearest block to x [32]: scale max|x| / 127, values to nearest. A block with a NaN or an infinity, or
/// too large for an f16 scale, becomes NaN.
inline q8_0_block quantize_q8_0(const float* x) {
  q8_0_block block{};
  block.scale = to_f16(std::abs(detail::most_extreme(x)) / 127.0f);
  const float scale = to_float(block.scale);
  if (!std::isfinite(scale)) return {detail::not_a_number, {}};
  if (scale == 0.0f) return block;
  detail::block_integers q;
  detail::round_block(x, 1.0f / scale, -127, 127, q);
  for (std::size_t i = 0; i < block_length; ++i) block.values[i] = static_cast<std::int8_t>(q[i]);
  return block;
}

/// A near block to x [32]. The scale that maps the most extreme number to −8 leaves room for improvement:
/// several around it, of both signs, are tried, and the one of least squared error is taken.
inline q4_0_block quantize_q4_0(const float* x) {
  const float most = detail::most_extreme(x);
  if (!std::isfinite(to_float(to_f16(most / 6.0f)))) return {detail::not_a_number, {}};
  q4_0_block best{};
  detail::block_integers values{};
  float least = std::numeric_limits<float>::infinity();
  // Scales most / steps: −8 uses all sixteen values for the most extreme number's side, 7 the other's.
  constexpr std::array<float, 14> steps = {-8.0f, -7.5f, -7.0f, -8.5f, -9.0f, -9.5f, -6.5f,
                                           7.0f,  7.5f,  8.0f,  8.5f,  6.5f,  6.0f,  -6.0f};
  for (const float step : steps) {
    const f16 stored = to_f16(most / step);
    const float scale = to_float(stored);
    if (scale == 0.0f) break;
    detail::block_integers q;
    detail::round_block(x, 1.0f / scale, -8, 7, q);
    const float error = detail::squared_error(x, scale, q);
    if (error >= least) continue;
    least = error;
    best.scale = stored;
    values = q;
  }
  for (std::size_t i = 0; i < block_length / 2; ++i)
    best.values[i] = static_cast<std::uint8_t>((values[i] + 8) | ((values[i + 16] + 8) << 4));
  return best;
}

} // namespace transept::inline TRANSEPT_ABI
