// Twin of the matrix products.
#pragma once

#include "arrays.hpp"

namespace reference {

/// y[t, o] = b[o] + Σᵢ x[t, i] · W[i, o]: the layout of GPT-2's weights (Conv1D).
inline matrix linear(const matrix& x, const matrix& weight, const vector& bias) {
  matrix y = xt::broadcast(bias, {x.shape(0), weight.shape(1)});
  for (std::size_t t = 0; t < x.shape(0); ++t)
    for (std::size_t i = 0; i < weight.shape(0); ++i)
      for (std::size_t o = 0; o < weight.shape(1); ++o) y(t, o) += x(t, i) * weight(i, o);
  return y;
}

/// y[t, o] = b[o] + Σᵢ x[t, i] · W[o, i]: the layout of the embedding that GPT-2's output reads, and of most
/// other models' weights.
inline matrix linear_transposed(const matrix& x, const matrix& weight, const vector& bias) {
  matrix y = xt::broadcast(bias, {x.shape(0), weight.shape(0)});
  for (std::size_t t = 0; t < x.shape(0); ++t)
    for (std::size_t o = 0; o < weight.shape(0); ++o)
      for (std::size_t i = 0; i < weight.shape(1); ++i) y(t, o) += x(t, i) * weight(o, i);
  return y;
}

} // namespace reference
