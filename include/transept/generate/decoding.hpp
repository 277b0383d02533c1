// What a session and a batch have in common: the sizes they are made with, what may be fed, and how a run of
// tokens goes through a model in chunks.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>

#include <transept/core/error.hpp>
#include <transept/kernels/matmul.hpp>
#include <transept/models/decoder.hpp>
#include <transept/runtime/compute_context.hpp>

namespace transept::inline TRANSEPT_ABI::detail {

/// The capacity that `capacity` asks for: 0 is the model's n_positions, which is the most where positions are
/// a table. Throws argument_error, which says who wanted it: "a session's".
inline std::size_t checked_capacity(const decoder_shape& shape, int capacity, const char* whose) {
  if (capacity < 0 || static_cast<std::size_t>(capacity) > shape.most_positions())
    throw argument_error(std::string(whose) + " capacity must be from 1 to the model's n_positions, " +
                         std::to_string(shape.n_positions) + " (or 0 for all of them); got " +
                         std::to_string(capacity));
  return capacity == 0 ? shape.n_positions : static_cast<std::size_t>(capacity);
}

/// The most tokens to compute at once. Throws argument_error.
inline std::size_t checked_chunk(int prompt_chunk, std::size_t capacity) {
  if (prompt_chunk < 1)
    throw argument_error("prompt_chunk must be at least 1; got " + std::to_string(prompt_chunk));
  return std::min(capacity, static_cast<std::size_t>(prompt_chunk));
}

/// Throws argument_error for what is for training only.
inline f32_precision checked_precision(f32_precision precision) {
  if (precision == f32_precision::bf16)
    throw argument_error("f32_precision must be full or bf16x3 here; bf16 is for training (convert the "
                         "weights to bf16 instead)");
  return precision;
}

/// Enough for `rows` tokens at once in a block, of texts of at most `capacity`: the residual stream and its
/// norm, what the model's own blocks need besides, then the larger of attention's and the feed-forward
/// network's intermediates, then the matrix product's own.
inline std::size_t decoding_workspace_bytes(const decoder_shape& shape, std::size_t rows, std::size_t threads,
                                            std::size_t capacity) {
  const auto room = [](std::size_t count) { return workspace::room_for(count); };
  const std::size_t inner = shape.n_head * shape.head_width;
  const std::size_t projected = inner + 2 * shape.n_key_value_head * shape.head_width;
  const bool is_gated = shape.n_projected != shape.n_inner;
  const std::size_t within =
      std::max(room(rows * projected) + room(rows * inner),
               room(rows * shape.n_projected) + (is_gated ? room(rows * shape.n_inner) : 0));
  const std::size_t widest =
      std::max({shape.n_embd, inner, shape.n_inner, shape.n_output}); // input of a product
  const std::size_t outputs = std::max(projected, shape.n_projected); // of products that add to nothing
  const std::size_t product = kernels::matmul_scratch_bytes(rows, widest, shape.n_embd, outputs, threads);
  const std::size_t own = shape.scratch_per_row * rows + shape.scratch_per_position * capacity;
  return 2 * room(rows * shape.n_embd) + (own > 0 ? room(own) + 8 * room(1) : 0) + within +
         product; // the output's product needs no more
}

/// Throws argument_error where `made_for` is another shape than the model's. `what`: "session".
inline void check_shape(const decoder_shape& model, const decoder_shape& made_for, const char* what) {
  if (made_for != model)
    throw argument_error(std::string("this ") + what +
                         " was made for a model of another shape: make one with " + what + "(model)");
}

/// Throws argument_error for an id outside the vocabulary.
inline void check_vocabulary(const decoder_shape& shape, std::span<const token_id> tokens) {
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i] < 0 || static_cast<std::size_t>(tokens[i]) >= shape.vocab_size)
      throw argument_error("token " + std::to_string(i) + " is " + std::to_string(tokens[i]) +
                           ", but ids of this model are from 0 to " + std::to_string(shape.vocab_size - 1));
  }
}

/// Throws unless `tokens` can be fed to a sequence of `length`: argument_error for no tokens or an id outside
/// the vocabulary, context_error where they do not fit.
inline void check_run(const decoder_shape& shape, std::span<const token_id> tokens, std::size_t length,
                      std::size_t capacity) {
  if (tokens.empty())
    throw argument_error("no tokens to feed: a prompt needs at least one (GPT-2 begins a text with its "
                         "end-of-text token)");
  check_vocabulary(shape, tokens);
  if (tokens.size() > capacity - length)
    throw context_error("the context is full: " + std::to_string(length) + " tokens are in it, " +
                        std::to_string(tokens.size()) + " more do not fit its " + std::to_string(capacity));
}

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
