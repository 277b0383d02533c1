// A bias of attention's scores that depends on the distance between query and key alone (ALiBi, Press et al.
// 2022; T5, Raffel et al. 2020): a Toeplitz matrix for each head, kept as a row of numbers.
#pragma once

#include <cstddef>

#include <transept/core/version.hpp>

namespace transept::inline TRANSEPT_ABI::kernels {

/// Added to the score of head h, query position i and key position j: at_zero[h · head_stride + (j − i)].
/// There must be entries for all pairs that are seen; no others are read.
struct distance_bias {
  const float* at_zero = nullptr; ///< none: no bias
  std::size_t head_stride = 0;

  /// Of what the query of a head at `position` adds to its score of the key at position 0, relative to
  /// at_zero.
  std::ptrdiff_t offset(std::size_t head, std::size_t position) const {
    return static_cast<std::ptrdiff_t>(head * head_stride) - static_cast<std::ptrdiff_t>(position);
  }
};

} // namespace transept::inline TRANSEPT_ABI::kernels
