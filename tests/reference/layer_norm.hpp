// Twin of layer norm (Ba, Kiros, Hinton 2016), per row:
//
//   y = (x − μ) / √(σ² + ε) ⊙ γ + β,   μ = 1/N Σ x,   σ² = 1/N Σ (x − μ)²
#pragma once

#include "arrays.hpp"

namespace reference {

inline matrix layer_norm(const matrix& x, const vector& gamma, const vector& beta, double epsilon) {
  const vector mean = xt::mean(x, {1});
  const matrix centred = x - xt::view(mean, xt::all(), xt::newaxis());
  const matrix squares = centred * centred;
  const vector variance = xt::mean(squares, {1});
  const vector deviation = xt::sqrt(variance + epsilon);
  return centred / xt::view(deviation, xt::all(), xt::newaxis()) * gamma + beta;
}

} // namespace reference
