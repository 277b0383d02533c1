// The angles that the rows of a pass are rotated by.
#pragma once

#include <cstddef>

#include <transept/layers/position_terms.hpp>
#include <transept/layers/positions/rotary.hpp>

namespace transept::inline TRANSEPT_ABI {

/// The angles of `rows` rows that follow what the cache holds, in memory of `scope`.
template <key_value_cache Cache>
rotation rotation_of(const rotary_embedding& rotary, workspace::scope& scope, const Cache& cache,
                     std::size_t rows) {
  if (rotary.width() == 0) return {};
  float* const angles = scope.floats(rows * rotary.width());
  rotary_angles(
      rotary, longest_text(cache), [&](std::size_t row) { return position(cache, row); }, rows, angles);
  return {angles, rotary.width(), rotary.pairing()};
}

} // namespace transept::inline TRANSEPT_ABI
