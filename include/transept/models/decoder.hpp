// What a decoder-only model must offer so that a session can run it: gpt2 does, and so can a model of your
// own (examples/own_model.cpp).
#pragma once

#include <concepts>
#include <cstddef>
#include <span>

#include <transept/core/types.hpp>
#include <transept/layers/kv_cache.hpp>
#include <transept/layers/kv_cache_batch.hpp>
#include <transept/layers/observer.hpp>
#include <transept/runtime/compute_context.hpp>
#include <transept/tensor/view.hpp>

namespace transept::inline TRANSEPT_ABI {

/// The run-time sizes of a decoder: what a session makes its cache and workspace from.
struct decoder_shape {
  std::size_t n_layer, n_head, head_width;
  std::size_t n_embd, n_inner;
  std::size_t vocab_size, n_positions;

  friend bool operator==(const decoder_shape&, const decoder_shape&) = default;
};

/// A model that `session` can run:
///   Model::width                                     the residual stream's width
///   model.shape()                                    its decoder_shape
///   forward(model, context, tokens, cache, x, observer)   x [tokens, width]: the residual stream
///   final_norm(model, context, x, normed)            before the output projection
///   project(model, context, normed, logits)          logits [rows, vocab_size]
template <class Model>
concept decoder_model = requires(const Model& model, compute_context& context,
                                 std::span<const token_id> tokens, kv_cache& cache,
                                 activations<Model::width> x, float* logits) {
  { model.shape() } -> std::same_as<decoder_shape>;
  forward(model, context, tokens, cache, x, no_observer{});
  final_norm(model, context, x, x);
  project(model, context, x, logits);
};

/// One whose `forward` also takes a kv_cache_batch, because it is a template on its key_value_cache: `batch`
/// can run it.
template <class Model>
concept batched_decoder_model = decoder_model<Model> &&
    requires(const Model& model, compute_context& context, std::span<const token_id> tokens,
             kv_cache_batch& cache, activations<Model::width> x) {
  forward(model, context, tokens, cache, x, no_observer{});
};

} // namespace transept::inline TRANSEPT_ABI
