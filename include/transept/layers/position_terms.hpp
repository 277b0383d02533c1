// What attention is to know of positions, made once in a pass for all its layers: angles of rotation for
// every row (positions/terms_of_rotary.hpp), or a bias for every head and distance
// (positions/terms_of_alibi.hpp).
#pragma once

#include <transept/layers/attention.hpp>

namespace transept::inline TRANSEPT_ABI {

/// What attention is to know of the positions of a pass. It refers to memory that the pass holds.
struct position_terms {
  transept::rotation rotation = {}; ///< of queries and keys; none: they are not rotated
  kernels::distance_bias bias = {}; ///< of the scores; none: they have none
};

} // namespace transept::inline TRANSEPT_ABI
