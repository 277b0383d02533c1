// Writes keys and values into a cache, as cache_layout.hpp describes it.
#pragma once

#include <cstddef>

#include <transept/kernels/cache_layout.hpp>

namespace transept::inline TRANSEPT_ABI::kernels {

/// What one head's cache is written to; scales (int8 only) by position.
struct head_storage {
  cache_type type;
  void* keys;
  void* values;
  float* key_scales;
  float* value_scales;
};

inline namespace TRANSEPT_ISA {

/// Positions first, first + 1, … of one head: keys and values [rows, head_width], rows `row_stride` apart.
TRANSEPT_FUNCTION void store_positions(const head_storage& head, std::size_t first, const float* keys,
                                       const float* values, std::size_t rows, std::size_t row_stride,
                                       std::size_t head_width);

} // namespace TRANSEPT_ISA
} // namespace transept::inline TRANSEPT_ABI::kernels

#if !TRANSEPT_IS_COMPILED
#include <transept/kernels/vector/cache_store.hpp>
#endif
