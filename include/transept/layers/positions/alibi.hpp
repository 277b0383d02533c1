// Attention with linear biases (Press, Smith & Lewis 2022): head h adds to a score
//
//   slopeₕ · (key − query),   slopeₕ = 2^(−8 (h + 1) / heads)
//
// where the number of heads is a power of two; else the slopes of the power below, and then every other one
// of the power above, as in the paper's code.
#pragma once

#include <cstddef>
#include <span>

#include <transept/core/version.hpp>

namespace transept::inline TRANSEPT_ABI {

/// The slope of one of any number of heads. most: the paper's 8, MPT's alibi_bias_max.
TRANSEPT_FUNCTION float alibi_slope(std::size_t head, std::size_t heads, double most = 8.0);

/// All heads' slopes.
TRANSEPT_FUNCTION void fill_alibi_slopes(std::span<float> slopes, double most = 8.0);

/// What every head adds for key − query = −(span − 1), …, 0: at_zero[h · head_stride + key − query], at_zero
/// being head 0's number for a query's own position.
TRANSEPT_FUNCTION void fill_alibi(std::span<const float> slopes, std::size_t span, float* at_zero,
                                  std::size_t head_stride);

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/layers/positions/impl/alibi.hpp>
#endif
