// What attention with linear biases adds in a pass.
#pragma once

#include <cstddef>
#include <span>

#include <transept/layers/position_terms.hpp>
#include <transept/layers/positions/alibi.hpp>

namespace transept::inline TRANSEPT_ABI {

/// The biases of all distances that these rows meet, for heads of these slopes (positions/alibi.hpp).
template <key_value_cache Cache>
kernels::distance_bias bias_of(std::span<const float> slopes, workspace::scope& scope, const Cache& cache,
                               std::size_t rows) {
  const std::size_t span = text_length(cache, rows);
  float* const at_zero = scope.floats(slopes.size() * span) + span - 1;
  fill_alibi(slopes, span, at_zero, span);
  return {at_zero, span};
}

} // namespace transept::inline TRANSEPT_ABI
