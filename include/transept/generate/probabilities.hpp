// Softmax over candidates, as filters, samplers and log-probabilities need it.
#pragma once

#include <span>

#include <transept/generate/candidates.hpp>

namespace transept::inline TRANSEPT_ABI {

/// weights[i] = exp(list[i].logit - greatest) for every candidate; returns their sum, added up in the list's
/// order in double. With `greatest` the greatest logit, weights are in [0, 1] and the sum is at least 1.
TRANSEPT_FUNCTION double softmax_weights(std::span<const candidate> list, float greatest,
                                         std::span<float> weights);

/// log(Σ exp(logit)) over the candidates: log-probability = logit - this.
TRANSEPT_FUNCTION double log_sum_exp(candidates& list);

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/generate/impl/probabilities.hpp>
#endif
