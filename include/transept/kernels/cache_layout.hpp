// How the keys and values of attention lie in memory, and in which type.
//
// Keys lie transposed within a tile, [tile][head_width][key_tile], so that a tile's scores are key_tile
// independent sums, vectorised across positions; values lie as rows, [position][head_width]. In int8 each
// position of each head has a scale for its key and one for its value: x[d] = scale · q[d].
#pragma once

#include <cstddef>
#include <cstdint>

#include <transept/core/element_type.hpp>

namespace transept::inline TRANSEPT_ABI {

/// What the numbers of a key/value cache are stored as.
enum class cache_type : std::uint8_t { f32, bf16, int8 };

constexpr std::size_t size_of(cache_type type) {
  return type == cache_type::f32 ? 4 : type == cache_type::bf16 ? 2 : 1;
}

/// Calls `f` with a value of the C++ type that stores one number.
template <class F>
decltype(auto) with_cache_type(cache_type type, F&& f) {
  switch (type) {
  case cache_type::bf16:
    return f(bf16{});
  case cache_type::int8:
    return f(std::int8_t{});
  default:
    return f(float{});
  }
}

namespace kernels {

/// Positions in a tile of keys: a multiple of every vector width.
inline constexpr std::size_t key_tile = 32;

/// The keys and values of one layer. Heads lie `head_stride` numbers apart, with room for whole tiles; scales
/// (int8 only) lie by position, those of the heads `scale_stride` apart.
struct keys_and_values {
  cache_type type;
  const void* keys;
  const void* values;
  std::size_t head_stride;
  const float* key_scales;
  const float* value_scales;
  std::size_t scale_stride;
};

} // namespace kernels
} // namespace transept::inline TRANSEPT_ABI
