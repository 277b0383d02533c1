// Twin of causal multi-head attention (Vaswani et al. 2017), per head:
//
//   y = softmax(scale · Q Kᵀ + mask) V
//
// The queries are the last T of S positions, so S = T without a cache; position i sees positions j ≤ i.
#pragma once

#include <limits>

#include "arrays.hpp"
#include "softmax.hpp"

namespace reference {

struct attention_result {
  cube output;        ///< [T, heads, head width]
  cube probabilities; ///< [heads, T, S]
};

/// query [T, heads, head width], key and value [S, heads, head width]; scale is 1 / √(head width) in the
/// paper.
inline attention_result causal_attention(const cube& query, const cube& key, const cube& value,
                                         double scale) {
  const std::size_t length = query.shape(0), heads = query.shape(1), head_width = query.shape(2);
  const std::size_t source_length = key.shape(0), cached = source_length - length;
  attention_result result{xt::zeros<double>({length, heads, head_width}),
                          xt::zeros<double>({heads, length, source_length})};
  for (std::size_t h = 0; h < heads; ++h) {
    matrix scores = xt::zeros<double>({length, source_length});
    for (std::size_t t = 0; t < length; ++t)
      for (std::size_t s = 0; s < source_length; ++s) {
        for (std::size_t d = 0; d < head_width; ++d) scores(t, s) += query(t, h, d) * key(s, h, d);
        scores(t, s) = s <= cached + t ? scale * scores(t, s) : -std::numeric_limits<double>::infinity();
      }
    const matrix probabilities = softmax(scores);
    xt::view(result.probabilities, h) = probabilities;
    for (std::size_t t = 0; t < length; ++t)
      for (std::size_t s = 0; s < source_length; ++s)
        for (std::size_t d = 0; d < head_width; ++d)
          result.output(t, h, d) += probabilities(t, s) * value(s, h, d);
  }
  return result;
}

} // namespace reference
