// The choice at random (generate/sampling.hpp).
#pragma once

#include <cstddef>
#include <span>

#include <transept/generate/probabilities.hpp>
#include <transept/generate/sampling.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION token_id draw::operator()(candidates& list) {
  const std::span<float> weights = list.weights();
  const double sum = softmax_weights(list, list.greatest_logit(), weights);
  const double target = random_.uniform_double() * sum;
  std::size_t chosen = 0;
  double passed = 0;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (weights[i] == 0.0f) continue;
    chosen = i;
    passed += static_cast<double>(weights[i]);
    if (passed > target) break;
  }
  return list[chosen].id;
}

} // namespace transept::inline TRANSEPT_ABI
