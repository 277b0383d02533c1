// The numbers of a norm that are no extents.
#pragma once

#include <transept/core/version.hpp>

namespace transept::inline TRANSEPT_ABI {

/// What a norm is told with each call.
struct norm_settings {
  float epsilon = 1e-5f;      ///< added to the variance, or to the mean square
  float weight_offset = 0.0f; ///< of an RMS norm: 1 where files hold the weight less 1 (Gemma)
};

} // namespace transept::inline TRANSEPT_ABI
