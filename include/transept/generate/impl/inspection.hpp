// The arrays of an inspection, and how they are filled (generate/inspection.hpp).
#pragma once

#include <algorithm>
#include <string>

#include <transept/core/error.hpp>
#include <transept/generate/inspection.hpp>
#include <transept/kernels/attention.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

TRANSEPT_FUNCTION inspection room_for(const inspection_request& request, const decoder_shape& shape,
                                      std::size_t tokens, std::size_t total) {
  const bool one_layer = request.attention_layer >= 0;
  if (one_layer && static_cast<std::size_t>(request.attention_layer) >= shape.n_layer)
    throw argument_error("attention_layer must be from 0 to " + std::to_string(shape.n_layer - 1) +
                         " (or -1 for all); got " + std::to_string(request.attention_layer));
  inspection result;
  if (request.hidden_states) {
    const bool one_width = shape.n_output == shape.n_embd;
    result.hidden_states = make_array<3>({shape.n_layer + one_width, tokens, shape.n_embd});
    if (!one_width) result.last_hidden_state = make_array<2>({tokens, shape.n_output});
  }
  if (request.attentions)
    result.attentions = make_array<4>({one_layer ? 1 : shape.n_layer, shape.n_head, tokens, total});
  if (request.logits) result.logits = make_array<2>({tokens, shape.vocab_size});
  return result;
}

TRANSEPT_FUNCTION void inspecting_observer::hidden_state(std::size_t index, const float* rows,
                                                         std::size_t count, std::size_t width) {
  if (!request_.hidden_states) return;
  if (index < result_.hidden_states.shape(0))
    std::copy_n(rows, count * width, &result_.hidden_states(index, rows_seen_, 0));
  else
    std::copy_n(rows, count * width, &result_.last_hidden_state(rows_seen_, 0));
  if (index == n_layer_) rows_seen_ += count; // the chunk's last
}

TRANSEPT_FUNCTION void inspecting_observer::attention(std::size_t layer,
                                                      const kernels::attention_problem& problem,
                                                      kernels::keys_and_values cache) {
  if (!request_.attentions) return;
  if (request_.attention_layer >= 0) {
    if (layer != static_cast<std::size_t>(request_.attention_layer)) return;
    layer = 0;
  }
  const std::size_t row = problem.first_position - first_position_;
  kernels::attention_weights(problem, cache, &result_.attentions(layer, 0, row, 0),
                             result_.attentions.shape(2), result_.attentions.shape(3));
}

} // namespace detail

} // namespace transept::inline TRANSEPT_ABI
