// What sessions and batches are made with, and what may be fed (generate/decoding.hpp).
#pragma once

#include <algorithm>
#include <string>

#include <transept/core/error.hpp>
#include <transept/generate/decoding.hpp>
#include <transept/kernels/matmul.hpp>

namespace transept::inline TRANSEPT_ABI::detail {

TRANSEPT_FUNCTION std::size_t checked_capacity(const decoder_shape& shape, int capacity, const char* whose) {
  if (capacity < 0 || static_cast<std::size_t>(capacity) > shape.most_positions())
    throw argument_error(std::string(whose) + " capacity must be from 1 to the model's n_positions, " +
                         std::to_string(shape.n_positions) + " (or 0 for all of them); got " +
                         std::to_string(capacity));
  return capacity == 0 ? shape.n_positions : static_cast<std::size_t>(capacity);
}

TRANSEPT_FUNCTION std::size_t checked_chunk(int prompt_chunk, std::size_t capacity) {
  if (prompt_chunk < 1)
    throw argument_error("prompt_chunk must be at least 1; got " + std::to_string(prompt_chunk));
  return std::min(capacity, static_cast<std::size_t>(prompt_chunk));
}

TRANSEPT_FUNCTION f32_precision checked_precision(f32_precision precision) {
  if (precision == f32_precision::bf16)
    throw argument_error("f32_precision must be full or bf16x3 here; bf16 is for training (convert the "
                         "weights to bf16 instead)");
  return precision;
}

TRANSEPT_FUNCTION std::size_t decoding_workspace_bytes(const decoder_shape& shape, std::size_t rows,
                                                       std::size_t threads, std::size_t capacity) {
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

TRANSEPT_FUNCTION void check_shape(const decoder_shape& model, const decoder_shape& made_for,
                                   const char* what) {
  if (made_for != model)
    throw argument_error(std::string("this ") + what +
                         " was made for a model of another shape: make one with " + what + "(model)");
}

TRANSEPT_FUNCTION void check_vocabulary(const decoder_shape& shape, std::span<const token_id> tokens) {
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i] < 0 || static_cast<std::size_t>(tokens[i]) >= shape.vocab_size)
      throw argument_error("token " + std::to_string(i) + " is " + std::to_string(tokens[i]) +
                           ", but ids of this model are from 0 to " + std::to_string(shape.vocab_size - 1));
  }
}

TRANSEPT_FUNCTION void check_run(const decoder_shape& shape, std::span<const token_id> tokens,
                                 std::size_t length, std::size_t capacity) {
  if (tokens.empty())
    throw argument_error("no tokens to feed: a prompt needs at least one (GPT-2 begins a text with its "
                         "end-of-text token)");
  check_vocabulary(shape, tokens);
  if (tokens.size() > capacity - length)
    throw context_error("the context is full: " + std::to_string(length) + " tokens are in it, " +
                        std::to_string(tokens.size()) + " more do not fit its " + std::to_string(capacity));
}

} // namespace transept::inline TRANSEPT_ABI::detail
