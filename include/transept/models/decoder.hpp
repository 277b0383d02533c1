// What every decoder does before, around and behind its blocks, forward and backward: what a session, a batch
// and a trainer ask of a model.
//
//   x = embed(tokens);  for each block: x = block(x);  logits = project(final_norm(x))
//
// A model of the family is a decoder_base with the members tokens, blocks, and where it needs them norm,
// positions, output, rotary, alibi; it says with which numbers a block is to run (settings_of_block), and
// writes a function of its own where it differs from what is here: embed, final_norm, project, and their way
// back. Any other type can be a decoder too (examples/own_model.cpp): the concept asks for four functions.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <span>
#include <type_traits>

#include <transept/core/types.hpp>
#include <transept/kernels/add.hpp>
#include <transept/kernels/soft_cap.hpp>
#include <transept/layers/embedding.hpp>
#include <transept/layers/kv_cache.hpp>
#include <transept/layers/kv_cache_batch.hpp>
#include <transept/layers/observer.hpp>
#include <transept/models/block_stack.hpp>
#include <transept/models/decoder_base.hpp>
#include <transept/runtime/compute_context.hpp>
#include <transept/tensor/view.hpp>

namespace transept::inline TRANSEPT_ABI {

/// The width of a model's last hidden state: another than the residual stream's where it says so.
template <class Model>
inline constexpr extent output_width_of = [] {
  if constexpr (requires { Model::output_width; })
    return Model::output_width;
  else
    return Model::width;
}();

/// A model that `session` can run. It has
/// - `Model::width`: the residual stream's width, or dyn
/// - `model.shape()`: its decoder_shape
/// - `forward(model, context, tokens, cache, x, observer)`: x [tokens, width], the residual stream
/// - `final_norm(model, context, x, normed)`: before the output projection
/// - `project(model, context, normed, logits)`: logits [rows, vocab_size]
template <class Model>
concept decoder_model = requires(const Model& model, compute_context& context,
                                 std::span<const token_id> tokens, kv_cache& cache,
                                 activations<Model::width> x, activations<output_width_of<Model>> normed,
                                 float* logits) {
  { model.shape() } -> std::same_as<decoder_shape>;
  forward(model, context, tokens, cache, x, no_observer{});
  final_norm(model, context, x, normed);
  project(model, context, normed, logits);
};

/// One whose `forward` also takes a kv_cache_batch, because it is a template on its key_value_cache: `batch`
/// can run it.
template <class Model>
concept batched_decoder_model = decoder_model<Model> &&
    requires(const Model& model, compute_context& context, std::span<const token_id> tokens,
             kv_cache_batch& cache, activations<Model::width> x) {
  forward(model, context, tokens, cache, x, no_observer{});
};

/// A model of this family: made of blocks (models/block_stack.hpp), and of members that are called as
/// decoder_base says.
template <class Model>
concept block_decoder = block_model<Model> && requires(const Model& model) {
  model.tokens;
};

// ---- Before the blocks -----------------------------------------------------------------------------------

/// The row of position 0 in the table of positions: the first, unless the model says another (OPT).
template <class Model>
inline constexpr extent first_position_of = [] {
  if constexpr (requires { Model::first_position; })
    return Model::first_position;
  else
    return extent{0};
}();

/// x [rows, width] += the positions' embeddings, where the model has a table of them.
template <block_decoder Model, key_value_cache Cache>
void add_positions(const Model& model, const Cache& cache, activations<Model::width> x) {
  if constexpr (requires { model.positions; })
    for (extent row = 0; row < x.rows(); ++row)
      add_row(model.positions,
              first_position_of<Model> + static_cast<extent>(position(cache, static_cast<std::size_t>(row))),
              x.row(row).data());
}

/// The gradient of the table of positions += what dx [rows, width] gives it.
template <block_decoder Model, class Gradient>
void add_positions_backward(const Model&, const Gradient& gradient, compute_context& context,
                            const whole_sequences& sequences, activations<Model::width> dx) {
  if constexpr (requires { gradient.positions; })
    backward(gradient.positions, context, dx, [&](std::size_t row) {
      return static_cast<std::size_t>(first_position_of<Model>) + position(sequences, row);
    });
}

/// x [tokens, width] = the tokens' embeddings, scaled where the model says so, plus their positions'.
template <block_decoder Model, key_value_cache Cache, class Observer>
void embed(const Model& model, compute_context&, std::span<const token_id> tokens, const Cache& cache,
           activations<Model::width> x, Observer&&) {
  copy_rows(model.tokens, tokens, x);
  if constexpr (requires { model.embedding_scale(); })
    for (extent i = 0; i < x.size(); ++i) x.data()[i] *= model.embedding_scale();
  add_positions(model, cache, x);
}

/// The gradients of both += those that dx [tokens, width], which is scratch, gives them.
template <block_decoder Model, class Gradient>
void embed_backward(const Model& model, const Gradient& gradient, compute_context& context,
                    std::span<const token_id> tokens, const whole_sequences& sequences,
                    activations<Model::width> dx, tape&) {
  add_positions_backward(model, gradient, context, sequences, dx);
  if constexpr (requires { model.embedding_scale(); })
    for (extent i = 0; i < dx.size(); ++i) dx.data()[i] *= model.embedding_scale();
  copy_rows_backward(gradient.tokens, context, tokens, dx);
}

// ---- Behind them -----------------------------------------------------------------------------------------

/// normed [rows, width] = the last norm of x, the last hidden state as Hugging Face counts them; normed may
/// be x. A model without a `norm` ends with its last block's.
template <block_decoder Model>
void final_norm(const Model& model, compute_context& context, activations<Model::width> x,
                activations<Model::width> normed) {
  if constexpr (requires { model.norm; })
    forward(model.norm, context, x, normed, model.norms());
  else if (normed.data() != x.data())
    std::copy_n(x.data(), x.size(), normed.data());
}

/// dx [rows, width] += the gradient that dnormed gives x; so do those of the norm.
template <block_decoder Model, class Gradient>
void final_norm_backward(const Model& model, const Gradient& gradient, compute_context& context,
                         activations<Model::width> x, activations<Model::width> dnormed,
                         activations<Model::width> dx) {
  if constexpr (requires { model.norm; })
    backward(model.norm, gradient.norm, context, x, dnormed, dx, model.norms());
  else
    kernels::add(context, dnormed.data(), static_cast<std::size_t>(dx.size()), dx.data());
}

/// The matrix [vocabulary, width] that logits are computed with: the output's own, or the embedding's. Of a
/// model, or of its gradient.
template <class Model>
auto output_weight(const Model& model) {
  if constexpr (requires { model.output.weight; }) {
    using matrix = std::remove_cvref_t<decltype(model.output.weight)>;
    if constexpr (matrix::static_rows == 0)
      return model.tokens.weight;
    else if constexpr (matrix::static_rows == dyn)
      return model.output.weight.rows() == 0 ? matrix(model.tokens.weight) : model.output.weight;
    else
      return model.output.weight;
  } else {
    return model.tokens.weight;
  }
}

/// The bias of the logits [vocabulary], of a model or of its gradient; nullptr where it has none.
template <class Model>
auto* output_bias(const Model& model) {
  if constexpr (requires { model.output.bias; })
    return model.output.bias.data();
  else
    return static_cast<float*>(nullptr);
}

/// The cap of the logits, cap · tanh(logit / cap); 0: none (Gemma 2 has one).
template <class Model>
float logit_soft_cap(const Model& model) {
  if constexpr (requires { model.settings.final_logit_soft_cap; })
    return model.settings.final_logit_soft_cap;
  else
    return 0.0f;
}

/// logits [rows, vocab_size] of normed [rows, width].
template <block_decoder Model, extent Width>
void project(const Model& model, compute_context& context, activations<Width> normed, float* logits) {
  const auto table = output_weight(model);
  project_to_vocabulary(table, context, normed, logits, output_bias(model));
  if (const float cap = logit_soft_cap(model); cap > 0)
    kernels::soft_cap(context, logits, static_cast<std::size_t>(normed.rows() * table.rows()), cap);
}

// ---- Both ways --------------------------------------------------------------------------------------------

/// x [tokens, width] = the residual stream after the last block (before the last norm), for tokens that
/// follow the positions in `cache` (one after another in a kv_cache, one in each sequence of a
/// kv_cache_batch), to which they are appended. Tokens must be ids of the vocabulary and fit the cache and
/// the model's positions; `forward(model, session, tokens)` checks that.
template <block_decoder Model, key_value_cache Cache, class Observer = no_observer>
void forward(const Model& model, compute_context& context, std::span<const token_id> tokens, Cache& cache,
             activations<Model::width> x, Observer&& observer = {}) {
  forward_stack(
      model, context, cache, x, [&](auto&& watching) { embed(model, context, tokens, cache, x, watching); },
      observer);
  advance(cache, tokens.size());
}

/// dx [tokens, width] is the gradient of what the forward pass gave; every gradient but that of the last norm
/// and of an output of its own grows by its part, where the tape froze no blocks, else those of the other
/// blocks. The tape is as it was before the forward pass; dx is scratch.
template <block_decoder Model, class Gradient>
void backward(const Model& model, const Gradient& gradient, compute_context& context,
              std::span<const token_id> tokens, const whole_sequences& sequences,
              activations<Model::width> dx, tape& tape) {
  backward_stack(
      model, gradient, context, sequences, dx,
      [&] { embed_backward(model, gradient, context, tokens, sequences, dx, tape); }, tape);
}

} // namespace transept::inline TRANSEPT_ABI
