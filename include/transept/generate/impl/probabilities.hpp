// Softmax over candidates (generate/probabilities.hpp).
#pragma once

#include <cmath>

#include <transept/generate/probabilities.hpp>
#include <transept/kernels/softmax.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION double softmax_weights(std::span<const candidate> list, float greatest,
                                         std::span<float> weights) {
  for (std::size_t i = 0; i < list.size(); ++i) weights[i] = list[i].logit - greatest;
  kernels::exponentials(weights.data(), list.size());
  double sum = 0;
  for (std::size_t i = 0; i < list.size(); ++i) sum += static_cast<double>(weights[i]);
  return sum;
}

TRANSEPT_FUNCTION double log_sum_exp(candidates& list) {
  const float greatest = list.greatest_logit();
  return static_cast<double>(greatest) + std::log(softmax_weights(list, greatest, list.weights()));
}

} // namespace transept::inline TRANSEPT_ABI
