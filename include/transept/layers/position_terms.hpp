// What attention is to know of positions, made once in a pass for all its layers: angles of rotation for
// every row (positions/terms_of_rotary.hpp), or a bias for every head and distance
// (positions/terms_of_alibi.hpp).
#pragma once

#include <transept/layers/attention.hpp>

namespace transept::inline TRANSEPT_ABI {

struct position_terms {
  transept::rotation rotation = {};
  kernels::distance_bias bias = {};
};

} // namespace transept::inline TRANSEPT_ABI
