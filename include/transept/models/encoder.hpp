// What every encoder does: whole texts, one behind another, go through the blocks that decoders have; every
// position sees all of its own text. Then a head.
//
//   x = norm(tokens[token] + token_types[type] + positions[position]);  x = project_in(x);
//   for each block: x = block(x);
//   pooled = activation(pooler(x of each text's first token));
//   words = transform_norm(activation(transform(x))) · tokensᵀ + bias;  scores = classifier(x or pooled)
//
// A model is an encoder_base with these members; those that it does not have have no elements.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <span>
#include <utility>

#include <transept/core/types.hpp>
#include <transept/layers/embedding.hpp>
#include <transept/layers/layer_norm.hpp>
#include <transept/layers/linear.hpp>
#include <transept/layers/whole_sequences.hpp>
#include <transept/models/block_stack.hpp>
#include <transept/models/decoder.hpp>
#include <transept/models/encoder_head.hpp>
#include <transept/runtime/compute_context.hpp>
#include <transept/tensor/view.hpp>

namespace transept::inline TRANSEPT_ABI {

/// Texts that are encoded together, one behind another, and nothing between them.
struct encoder_input {
  std::span<const token_id> tokens;     ///< of all texts
  std::span<const std::size_t> offsets; ///< [texts + 1]: text s is tokens [offsets[s], offsets[s + 1])
  std::span<const int> types = {};      ///< of each token: which part of its text it is of; empty: all 0

  std::size_t texts() const { return offsets.empty() ? 0 : offsets.size() - 1; } ///< how many
};

/// A model with the members of this file's first lines, whose settings say which `head` it has.
template <class Model>
concept encoder_model = block_model<Model> && requires(const Model& model) {
  model.token_types;
  model.tokens_norm;
  model.project_in;
  model.pooler;
  model.classifier;
  { model.settings.head } -> std::convertible_to<encoder_head>;
};

/// The same view where its width is told at run time: for layers that, in a type, may not be there.
template <extent Width>
activations<dyn> any_width(activations<Width> x) {
  return {x.data(), x.rows(), x.cols()};
}

// ---- Before the blocks -----------------------------------------------------------------------------------

/// e [tokens, token width] = the sum of what tokens, their types and positions are looked up as, before the
/// norm.
template <encoder_model Model, key_value_cache Cache, extent Width>
void add_up_embeddings(const Model& model, const encoder_input& input, const Cache& cache,
                       activations<Width> e) {
  copy_rows(model.tokens, input.tokens, e);
  for (extent row = 0; row < e.rows(); ++row) {
    const auto i = static_cast<std::size_t>(row);
    if (model.token_types.is_there())
      add_row(model.token_types, input.types.empty() ? 0 : input.types[i], e.row(row).data());
    add_row(model.positions, model.settings.first_position + static_cast<extent>(position(cache, i)),
            e.row(row).data());
  }
}

/// x [tokens, width] = the normed embeddings, projected where they are of another width.
template <encoder_model Model, key_value_cache Cache, class Observer>
void embed(const Model& model, compute_context& context, const encoder_input& input, const Cache& cache,
           activations<Model::width> x, [[maybe_unused]] Observer&& observer) {
  workspace::scope scope(context.memory);
  const bool projects = model.project_in.is_there();
  const auto width = projects ? model.tokens.weight.cols() : x.cols();
  activations<dyn> e(x.data(), x.rows(), width);
  if (projects) e = take_kept<dyn>(scope, observer, x.rows(), width);
  add_up_embeddings(model, input, cache, e);
  if constexpr (taping<Observer>) observer.keep_copy(e);
  forward(model.tokens_norm, context, e, e, model.norms());
  if (projects) forward(model.project_in, context, e, any_width(x));
}

/// The gradients of what embed read += those that dx [tokens, width], which is scratch, gives them.
template <encoder_model Model, class Gradient>
void embed_backward(const Model& model, const Gradient& gradient, compute_context& context,
                    const encoder_input& input, const whole_sequences& sequences,
                    activations<Model::width> dx, tape& tape) {
  workspace::scope scope(context.memory);
  const auto width = model.tokens.weight.cols();
  const bool projects = model.project_in.is_there();
  const auto sums = tape.take_back<dyn>(dx.rows(), width);
  activations<dyn> dnormed(dx.data(), dx.rows(), width);
  if (projects) {
    dnormed = scope.take<dyn>(dx.rows(), width);
    backward(model.project_in, gradient.project_in, context, tape.take_back<dyn>(dx.rows(), width), dx,
             dnormed);
  }
  const auto dsums = scope.take<dyn>(dx.rows(), width);
  std::fill_n(dsums.data(), dsums.size(), 0.0f);
  backward(model.tokens_norm, gradient.tokens_norm, context, sums, dnormed, dsums, model.norms());
  backward(gradient.positions, context, dsums, [&](std::size_t row) {
    return static_cast<std::size_t>(model.settings.first_position) + position(sequences, row);
  });
  if (model.token_types.is_there())
    backward(gradient.token_types, context, dsums, [&](std::size_t row) {
      return input.types.empty() ? std::size_t{0} : static_cast<std::size_t>(input.types[row]);
    });
  copy_rows_backward(gradient.tokens, context, input.tokens, dsums);
}

// ---- Both ways --------------------------------------------------------------------------------------------

/// x [tokens, width] = the last hidden states. The rows are whole texts (whole_sequences, of input.offsets),
/// or one text in an empty kv_cache, which an observer may look into.
template <encoder_model Model, key_value_cache Cache, class Observer = no_observer>
void forward(const Model& model, compute_context& context, const encoder_input& input, Cache& cache,
             activations<Model::width> x, Observer&& observer = {}) {
  forward_stack(
      model, context, cache, x, [&](auto&& watching) { embed(model, context, input, cache, x, watching); },
      observer);
  advance(cache, input.tokens.size());
}

/// dx [tokens, width] is the gradient of the last hidden states; those of all that forward read grow.
template <encoder_model Model, class Gradient>
void backward(const Model& model, const Gradient& gradient, compute_context& context,
              const encoder_input& input, const whole_sequences& sequences, activations<Model::width> dx,
              tape& tape) {
  backward_stack(
      model, gradient, context, sequences, dx,
      [&] { embed_backward(model, gradient, context, input, sequences, dx, tape); }, tape);
}

// ---- Heads ------------------------------------------------------------------------------------------------

/// pooled [rows, width] of x [rows, width], hidden states: what the pooler makes of them.
template <encoder_model Model>
void pool(const Model& model, compute_context& context, activations<Model::width> x,
          activations<Model::width> pooled) {
  forward(model.pooler, context, x, any_width(pooled), {.activation = model.settings.pooler_activation});
}

/// logits [rows, vocab_size] of x [rows, width], hidden states.
template <encoder_model Model>
void project_words(const Model& model, compute_context& context, activations<Model::width> x, float* logits) {
  workspace::scope scope(context.memory);
  const auto made = scope.take<dyn>(x.rows(), model.words.transform.weight.cols()); // [rows, token width]
  forward(model.words.transform, context, x, made, {.activation = model.settings.words_activation});
  forward(model.words.norm, context, made, made, model.norms());
  project_to_vocabulary(output_weight(model), context, made, logits, model.words.bias.data());
}

/// scores [rows, labels] of x [rows, width]: hidden states, which go through the pooler where there is one.
template <encoder_model Model>
void classify(const Model& model, compute_context& context, activations<Model::width> x, float* scores) {
  workspace::scope scope(context.memory);
  auto pooled = x;
  if (model.pooler.is_there()) pool(model, context, x, pooled = scope.take<Model::width>(x.rows(), x.cols()));
  forward(model.classifier, context, pooled,
          activations<dyn>(scores, x.rows(), model.classifier.weight.cols()));
}

/// scores [texts, 2] of x [texts, width], the hidden states of each text's first token: the second part
/// follows the first, or does not.
template <encoder_model Model>
void judge_next_sentence(const Model& model, compute_context& context, activations<Model::width> x,
                         float* scores) {
  workspace::scope scope(context.memory);
  const auto pooled = scope.take<Model::width>(x.rows(), x.cols());
  pool(model, context, x, pooled);
  forward(model.next_sentence, context, pooled, activations<dyn>(scores, x.rows(), 2));
}

} // namespace transept::inline TRANSEPT_ABI
