// Twin of the root mean square norm (Zhang, Sennrich 2019), per row:
//
//   y = x / √(1/N Σ x² + ε) ⊙ (offset + γ)
#pragma once

#include "arrays.hpp"

namespace reference {

inline matrix rms_norm(const matrix& x, const vector& gamma, double offset, double epsilon) {
  const matrix squares = x * x;
  const vector mean_square = xt::mean(squares, {1});
  const vector root = xt::sqrt(mean_square + epsilon);
  return x / xt::view(root, xt::all(), xt::newaxis()) * (offset + gamma);
}

} // namespace reference
