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

} // namespace detail

/// The nearest block to x [32]: scale max|x| / 127, values to nearest. A block with a NaN or an infinity, or
/// too large for an f16 scale, becomes NaN.
inline q8_0_block quantize_q8_0(const float* x) {
  q8_0_block block{};
  const float most = std::abs(detail::most_extreme(x));
  block.scale = to_f16(most / 127.0f);
  const float scale = to_float(block.scale);
  if (!std::isfinite(scale)) return {detail::not_a_number, {}};
  if (scale == 0.0f) return block;
  for (std::size_t i = 0; i < block_length; ++i)
    block.values[i] = static_cast<std::int8_t>(std::clamp(std::nearbyint(x[i] / scale), -127.0f, 127.0f));
  return block;
}

/// A near block to x [32]. The scale that maps the most extreme number to −8 leaves room for improvement:
/// several around it, of both signs, are tried, and the one of least squared error is taken.
inline q4_0_block quantize_q4_0(const float* x) {
  const float most = detail::most_extreme(x);
  if (!std::isfinite(to_float(to_f16(most / 8.0f)))) return {detail::not_a_number, {}};
  q4_0_block best{{}, {}};
  best.values.fill(0x88);
  float least = std::numeric_limits<float>::infinity();
  // Scales most / steps: −8 uses all sixteen values for the most extreme number's side, 7 the other's.
  constexpr std::array<float, 14> steps = {-8.0f, -7.5f, -7.0f, -8.5f, -9.0f, -9.5f, -6.5f,
                                           7.0f,  7.5f,  8.0f,  8.5f,  6.5f,  6.0f,  -6.0f};
  for (const float step : steps) {
    const f16 stored = to_f16(most / step);
    const float scale = to_float(stored);
    if (scale == 0.0f) break;
    const float inverse = 1.0f / scale;
    std::array<float, block_length> q;
    float error = 0.0f;
    for (std::size_t i = 0; i < block_length; ++i) {
      q[i] = std::clamp(std::nearbyint(x[i] * inverse), -8.0f, 7.0f);
      const float difference = x[i] - scale * q[i];
      error += difference * difference;
    }
    if (error >= least) continue;
    least = error;
    best.scale = stored;
    for (std::size_t i = 0; i < 16; ++i) {
      const auto low = static_cast<unsigned>(static_cast<int>(q[i]) + 8);
      const auto high = static_cast<unsigned>(static_cast<int>(q[i + 16]) + 8);
      best.values[i] = static_cast<std::uint8_t>(low | (high << 4));
    }
  }
  return best;
}

} // namespace transept::inline TRANSEPT_ABI
