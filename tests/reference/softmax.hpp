// Twin of softmax, per row:
//
//   yᵢ = exp(xᵢ) / Σⱼ exp(xⱼ)
//
// with the row's greatest element subtracted first, which changes nothing but keeps exp in range. −∞ gives 0;
// each row needs one finite element.
#pragma once

#include "arrays.hpp"

namespace reference {

inline matrix softmax(const matrix& x) {
  const vector greatest = xt::amax(x, {1});
  const matrix powers = xt::exp(x - xt::view(greatest, xt::all(), xt::newaxis()));
  const vector sums = xt::sum(powers, {1});
  return powers / xt::view(sums, xt::all(), xt::newaxis());
}

} // namespace reference
