// Softmax over candidates, as filters, samplers and log-probabilities need it.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>

#include <transept/generate/candidates.hpp>
#include <transept/kernels/softmax.hpp>

namespace transept::inline TRANSEPT_ABI {

/// weights[i] = exp(list[i].logit - greatest) for every candidate; returns their sum, added up in the list's
/// order in double. With `greatest` the greatest logit, weights are in [0, 1] and the sum is at least 1.
inline double softmax_weights(std::span<const candidate> list, float greatest, std::span<float> weights) {
  for (std::size_t i = 0; i < list.size(); ++i) weights[i] = list[i].logit - greatest;
  kernels::exponentials(weights.data(), list.size());
  double sum = 0;
  for (std::size_t i = 0; i < list.size(); ++i) sum += static_cast<double>(weights[i]);
  return sum;
}

/// log(Σ exp(logit)) over the candidates: log-probability = logit - this.
inline double log_sum_exp(candidates& list) {
  const float greatest = list.greatest_logit();
  return static_cast<double>(greatest) + std::log(softmax_weights(list, greatest, list.weights()));
}

} // namespace transept::inline TRANSEPT_ABI
