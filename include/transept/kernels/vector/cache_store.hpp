// What kernels/cache_store.hpp declares, computed by vectors.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <type_traits>

#include <transept/core/element_type.hpp>
#include <transept/kernels/cache_store.hpp>
#include <transept/kernels/vector/packing.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

namespace detail {

/// A head's storage, of known type.
template <class T>
struct typed_storage {
  T* keys;
  T* values;
  float* key_scales;
  float* value_scales;
};

/// to[d · stride] = from [head_width]; returns the scale, for int8: max|from| / 127, NaN where a number is
/// not finite.
template <class T>
float store_head(const float* from, std::size_t head_width, T* to, std::size_t stride) {
  if constexpr (sizeof(T) != 1) {
    for (std::size_t d = 0; d < head_width; ++d) to[d * stride] = narrow(from[d], T{});
    return 1.0f;
  } else {
    float most = 0.0f, probe = 0.0f; // the probe becomes NaN
    for (std::size_t d = 0; d < head_width; ++d) {
      most = std::max(most, std::abs(from[d]));
      probe += from[d] * 0.0f;
    }
    // Of numbers so small that their inverse is infinite, zeros are kept.
    const float inverse = 127.0f / most;
    const bool representable = probe == 0.0f && std::isfinite(inverse);
    for (std::size_t d = 0; d < head_width; ++d)
      to[d * stride] = representable
                           ? static_cast<T>(std::clamp(std::nearbyint(from[d] * inverse), -127.0f, 127.0f))
                           : T{0};
    return probe == 0.0f ? most / 127.0f : std::numeric_limits<float>::quiet_NaN();
  }
}

template <class T>
void store_position(const typed_storage<T>& head, std::size_t position, const float* key, const float* value,
                    std::size_t head_width) {
  const std::size_t lane = position % key_tile;
  T* const keys = head.keys + (position - lane) * head_width;
  if (lane == 0) std::fill_n(keys, key_tile * head_width, T{}); // a new tile
  const float key_scale = store_head(key, head_width, keys + lane, key_tile);
  const float value_scale = store_head(value, head_width, head.values + position * head_width, 1);
  if constexpr (sizeof(T) == 1) {
    if (lane == 0) std::fill_n(head.key_scales + position, key_tile, 0.0f);
    head.key_scales[position] = key_scale;
    head.value_scales[position] = value_scale;
  }
}

template <class T>
void store_positions(const typed_storage<T>& head, std::size_t first, const float* keys, const float* values,
                     std::size_t rows, std::size_t row_stride, std::size_t head_width) {
  for (std::size_t r = 0; r < rows;) {
    const std::size_t position = first + r;
    if constexpr (std::is_same_v<T, float>) {
      if (position % key_tile == 0 && rows - r >= key_tile) { // a whole tile
        pack_across<key_tile>(keys + r * row_stride, row_stride, head_width,
                              head.keys + position * head_width);
        for (const std::size_t end = r + key_tile; r < end; ++r)
          std::copy_n(values + r * row_stride, head_width, head.values + (first + r) * head_width);
        continue;
      }
    }
    store_position(head, position, keys + r * row_stride, values + r * row_stride, head_width);
    ++r;
  }
}

} // namespace detail

TRANSEPT_FUNCTION void store_positions(const head_storage& head, std::size_t first, const float* keys,
                                       const float* values, std::size_t rows, std::size_t row_stride,
                                       std::size_t head_width) {
  with_cache_type(head.type, [&]<class T>(T) {
    const detail::typed_storage<T> typed{static_cast<T*>(head.keys), static_cast<T*>(head.values),
                                         head.key_scales, head.value_scales};
    detail::store_positions(typed, first, keys, values, rows, row_stride, head_width);
  });
}

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA
