// Twin of multi-head attention (Vaswani et al. 2017) in all the forms the kernels know, per head:
//
//   y = (softmax(S) ∘ F) V,   S = cap · tanh(scale · Q Kᵀ / cap) + B where it is seen, else −∞
//
// without a cap S = scale · Q Kᵀ + B; F are dropout's factors. And its gradients, by the chain rule.
#pragma once

#include <cmath>
#include <functional>
#include <limits>

#include "arrays.hpp"
#include "softmax.hpp"

namespace reference {

struct attention_result {
  cube output;        ///< [T, heads, head width]
  cube probabilities; ///< [heads, T, S]
};

/// What tells one attention from another. Queries and keys are named by their indices.
struct attention_rule {
  double scale;        ///< 1 / √(head width) in the paper
  double soft_cap = 0; ///< 0: none
  std::function<bool(std::size_t query, std::size_t key)> sees;
  std::function<double(std::size_t head, std::size_t query, std::size_t key)> bias = {};
  std::function<double(std::size_t head, std::size_t query, std::size_t key)> factor = {};
};

/// query [T, heads, head width], key and value [S, key/value heads, head width]: successive heads share one
/// of these.
inline attention_result attention(const cube& query, const cube& key, const cube& value,
                                  const attention_rule& rule) {
  const std::size_t length = query.shape(0), heads = query.shape(1), head_width = query.shape(2);
  const std::size_t source_length = key.shape(0), group = heads / key.shape(1);
  attention_result result{xt::zeros<double>({length, heads, head_width}),
                          xt::zeros<double>({heads, length, source_length})};
  for (std::size_t h = 0; h < heads; ++h) {
    matrix scores = xt::zeros<double>({length, source_length});
    for (std::size_t t = 0; t < length; ++t)
      for (std::size_t s = 0; s < source_length; ++s) {
        scores(t, s) = -std::numeric_limits<double>::infinity();
        if (!rule.sees(t, s)) continue;
        double score = 0;
        for (std::size_t d = 0; d < head_width; ++d) score += query(t, h, d) * key(s, h / group, d);
        score *= rule.scale;
        if (rule.soft_cap > 0) score = rule.soft_cap * std::tanh(score / rule.soft_cap);
        if (rule.bias) score += rule.bias(h, t, s);
        scores(t, s) = score;
      }
    const matrix probabilities = softmax(scores);
    xt::view(result.probabilities, h) = probabilities;
    for (std::size_t t = 0; t < length; ++t)
      for (std::size_t s = 0; s < source_length; ++s) {
        const double weight = probabilities(t, s) * (rule.factor ? rule.factor(h, t, s) : 1);
        for (std::size_t d = 0; d < head_width; ++d)
          result.output(t, h, d) += weight * value(s, h / group, d);
      }
  }
  return result;
}

/// The queries are the last T of S positions, so S = T without a cache; position i sees positions j ≤ i.
inline attention_result causal_attention(const cube& query, const cube& key, const cube& value,
                                         double scale) {
  const std::size_t cached = key.shape(0) - query.shape(0);
  return attention(query, key, value,
                   {.scale = scale, .sees = [=](std::size_t t, std::size_t s) { return s <= cached + t; }});
}

struct attention_gradient {
  cube query, key, value;
  cube scores; ///< [heads, T, S], of S: what a bias of its own for every pair would get
};

/// The gradients that doutput [T, heads, head width] gives.
inline attention_gradient attention_backward(const cube& query, const cube& key, const cube& value,
                                             const attention_rule& rule, const cube& doutput) {
  const std::size_t length = query.shape(0), heads = query.shape(1), head_width = query.shape(2);
  const std::size_t source_length = key.shape(0), group = heads / key.shape(1);
  const cube probabilities = attention(query, key, value, rule).probabilities;
  attention_gradient gradient{xt::zeros_like(query), xt::zeros_like(key), xt::zeros_like(value),
                              xt::zeros_like(probabilities)};
  for (std::size_t h = 0; h < heads; ++h)
    for (std::size_t t = 0; t < length; ++t) {
      vector dprobability = xt::zeros<double>({source_length});
      double mean = 0;
      for (std::size_t s = 0; s < source_length; ++s) {
        const double factor = rule.factor ? rule.factor(h, t, s) : 1;
        for (std::size_t d = 0; d < head_width; ++d) {
          dprobability(s) += factor * doutput(t, h, d) * value(s, h / group, d);
          gradient.value(s, h / group, d) += probabilities(h, t, s) * factor * doutput(t, h, d);
        }
        mean += probabilities(h, t, s) * dprobability(s);
      }
      for (std::size_t s = 0; s < source_length; ++s) {
        const double dscore = probabilities(h, t, s) * (dprobability(s) - mean);
        gradient.scores(h, t, s) = dscore;
        double product = 0;
        for (std::size_t d = 0; d < head_width; ++d) product += query(t, h, d) * key(s, h / group, d);
        const double capped = rule.soft_cap > 0 ? std::tanh(rule.scale * product / rule.soft_cap) : 0;
        const double dproduct = dscore * (1 - capped * capped) * rule.scale;
        for (std::size_t d = 0; d < head_width; ++d) {
          gradient.query(t, h, d) += dproduct * key(s, h / group, d);
          gradient.key(s, h / group, d) += dproduct * query(t, h, d);
        }
      }
    }
  return gradient;
}

} // namespace reference
