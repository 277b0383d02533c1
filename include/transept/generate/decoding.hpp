// What a session and a batch have in common: the sizes they are made with, what may be fed, and how a run of
// tokens goes through a model in chunks.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include <transept/core/error.hpp>
#include <transept/core/types.hpp>
#include <transept/layers/kv_cache.hpp>
#include <transept/layers/observer.hpp>
#include <transept/models/decoder.hpp>
#include <transept/runtime/compute_context.hpp>

namespace transept::inline TRANSEPT_ABI::detail {

/// The capacity that `capacity` asks for: 0 is the model's n_positions, which is the most where positions are
/// a table. Throws argument_error, which says who wanted it: "a session's".
TRANSEPT_FUNCTION std::size_t checked_capacity(const decoder_shape& shape, int capacity, const char* whose);

/// The most tokens to compute at once. Throws argument_error.
TRANSEPT_FUNCTION std::size_t checked_chunk(int prompt_chunk, std::size_t capacity);

/// Throws argument_error for what is for training only.
TRANSEPT_FUNCTION f32_precision checked_precision(f32_precision precision);

/// Enough for `rows` tokens at once in a block, of texts of at most `capacity`: the residual stream and its
/// norm, what the model's own blocks need besides, then the larger of attention's and the feed-forward
/// network's intermediates, then the matrix product's own.
TRANSEPT_FUNCTION std::size_t decoding_workspace_bytes(const decoder_shape& shape, std::size_t rows,
                                                       std::size_t threads, std::size_t capacity);

/// Throws argument_error where `made_for` is another shape than the model's. `what`: "session".
TRANSEPT_FUNCTION void check_shape(const decoder_shape& model, const decoder_shape& made_for,
                                   const char* what);

/// Throws argument_error for an id outside the vocabulary.
TRANSEPT_FUNCTION void check_vocabulary(const decoder_shape& shape, std::span<const token_id> tokens);

/// Throws unless `tokens` can be fed to a sequence of `length`: argument_error for no tokens or an id outside
/// the vocabulary, context_error where they do not fit.
TRANSEPT_FUNCTION void check_run(const decoder_shape& shape, std::span<const token_id> tokens,
                                 std::size_t length, std::size_t capacity);

/// Memory for the last hidden state of x [rows, width]: x itself where it is as wide.
template <decoder_model Model>
activations<output_width_of<Model>> last_state(workspace::scope& scope, const decoder_shape& shape,
                                               activations<Model::width> x) {
  constexpr extent width = output_width_of<Model>;
  if constexpr (compatible(width, Model::width))
    if (shape.n_output == shape.n_embd) return x;
  return scope.take<width>(x.rows(), static_cast<extent>(shape.n_output));
}

/// Feeds checked tokens to one sequence, at most `chunk` at once. `all_logits` [tokens, vocab_size] may be
/// null; the last position's always go to `last_logits` [vocab_size].
template <decoder_model Model, class Observer>
void feed_run(const Model& model, compute_context context, kv_cache& cache, std::size_t chunk,
              std::span<const token_id> tokens, float* all_logits, float* last_logits, Observer&& observer) {
  const decoder_shape shape = model.shape();
  for (std::size_t begin = 0; begin < tokens.size(); begin += chunk) {
    const auto part = tokens.subspan(begin, std::min(chunk, tokens.size() - begin));
    const bool last = begin + part.size() == tokens.size();
    const auto rows = static_cast<extent>(part.size());
    workspace::scope scope(context.memory);
    const auto x = scope.take<Model::width>(rows, static_cast<extent>(shape.n_embd)); // [rows, n_embd]
    forward(model, context, part, cache, x, observer);
    if (all_logits || observing<Observer>) {
      const auto normed = last_state<Model>(scope, shape, x); // [rows, n_output]
      final_norm(model, context, x, normed);
      if constexpr (observing<Observer>)
        observer.hidden_state(shape.n_layer, normed.data(), part.size(), shape.n_output);
      if (all_logits) project(model, context, normed, all_logits + begin * shape.vocab_size);
      if (last && !all_logits)
        project(model, context, normed.middle_rows(rows - 1, 1), last_logits);
      else if (last)
        std::copy_n(all_logits + (tokens.size() - 1) * shape.vocab_size, shape.vocab_size, last_logits);
    } else if (last) {
      const activations<Model::width> last_row = x.middle_rows(rows - 1, 1);
      const auto normed = last_state<Model>(scope, shape, last_row);
      final_norm(model, context, last_row, normed);
      project(model, context, normed, last_logits);
    }
  }
}

} // namespace transept::inline TRANSEPT_ABI::detail

#if !TRANSEPT_IS_COMPILED
#include <transept/generate/impl/decoding.hpp>
#endif
