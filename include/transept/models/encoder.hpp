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

/// A model with those members of this file's first lines that it has, `tokens`, `blocks` and `classifier` in
/// any case, whose settings say which `head` it has.
template <class Model>
concept encoder_model = block_model<Model> && requires(const Model& model) {
  model.tokens;
  model.classifier;
  { model.settings.head } -> std::convertible_to<encoder_head>;
};

/// The run-time sizes of an encoder whose table of positions begins with row `first_position`.
template <class Config>
decoder_shape shape_of_encoder(const Config& c, int first_position = 0) {
  const auto size = [](int n) { return static_cast<std::size_t>(n); };
  return {.n_layer = size(c.n_layer),
          .n_head = size(c.n_head),
          .head_width = size(c.head_width),
          .n_embd = size(c.n_embd),
          .n_inner = size(c.n_inner),
          .vocab_size = size(c.vocab_size),
          .n_positions = size(c.n_positions - first_position)};
}

/// The numbers of a post-norm block in which every position sees its whole text.
template <class Model>
block_settings post_norm_settings(const Model& model) {
  return {.norm = model.norms(),
          .activation = model.settings.activation,
          .attention = {.scale = attention_scale(model.config.head_width), .sees = everything},
          .order = block_order::post_norm};
}

/// How many types of tokens a model tells apart; 0: none.
template <encoder_model Model>
std::size_t token_types_of(const Model& model) {
  if constexpr (requires { model.token_types; })
    return static_cast<std::size_t>(model.token_types.weight.rows());
  else
    return 0;
}

/// Whether a dense layer stands before the classifier, or gives what a text is pooled to.
template <encoder_model Model>
bool has_pooler(const Model& model) {
  if constexpr (requires { model.pooler; })
    return model.pooler.is_there();
  else
    return false;
}

/// Whether a model says if a text's second part follows its first.
template <encoder_model Model>
bool has_next_sentence(const Model& model) {
  if constexpr (requires { model.next_sentence; })
    return model.next_sentence.is_there();
  else
    return false;
}

/// What a head for texts reads of a text: the first token's hidden state unless the settings say otherwise.
template <encoder_model Model>
text_pooling pooling_of(const Model& model) {
  if constexpr (requires { model.settings.pooling; })
    return model.settings.pooling;
  else
    return text_pooling::first;
}

/// The same view where its width is told at run time: for layers that, in a type, may not be there.
template <extent Width>
activations<dyn> any_width(activations<Width> x) {
  return {x.data(), x.rows(), x.cols()};
}

// ---- Before the blocks -----------------------------------------------------------------------------------

/// The row of position 0 in a model's table of positions.
template <encoder_model Model>
extent first_position_of_table(const Model& model) {
  if constexpr (requires { model.settings.first_position; })
    return model.settings.first_position;
  else
    return 0;
}

/// e [tokens, token width] = the sum of what tokens, their types and positions are looked up as, before the
/// norm.
template <encoder_model Model, key_value_cache Cache, extent Width>
void add_up_embeddings(const Model& model, const encoder_input& input, const Cache& cache,
                       activations<Width> e) {
  copy_rows(model.tokens, input.tokens, e);
  for (extent row = 0; row < e.rows(); ++row) {
    const auto i = static_cast<std::size_t>(row);
    float* const to = e.row(row).data();
    if constexpr (requires { model.token_types; })
      if (model.token_types.is_there())
        add_row(model.token_types, input.types.empty() ? 0 : input.types[i], to);
    if (model.positions.is_there())
      add_row(model.positions, first_position_of_table(model) + static_cast<extent>(position(cache, i)), to);
    else if constexpr (requires { model.sinusoid(i); }) {
      const float* const sinusoid = model.sinusoid(position(cache, i));
      for (extent j = 0; j < e.cols(); ++j) to[j] += sinusoid[j];
    }
  }
}

/// x [tokens, width] = the normed embeddings, projected where they are of another width.
template <encoder_model Model, key_value_cache Cache, class Observer>
void embed(const Model& model, [[maybe_unused]] compute_context& context, const encoder_input& input,
           const Cache& cache, activations<Model::width> x, [[maybe_unused]] Observer&& observer) {
  if constexpr (requires { model.tokens_norm; }) {
    workspace::scope scope(context.memory);
    const bool projects = model.project_in.is_there();
    const auto width = projects ? model.tokens.weight.cols() : x.cols();
    activations<dyn> e(x.data(), x.rows(), width);
    if (projects) e = take_kept<dyn>(scope, observer, x.rows(), width);
    add_up_embeddings(model, input, cache, e);
    if constexpr (taping<Observer>) observer.keep_copy(e);
    forward(model.tokens_norm, context, e, e, model.norms());
    if (projects) forward(model.project_in, context, e, any_width(x));
  } else {
    add_up_embeddings(model, input, cache, x);
  }
}

/// The gradients of the tables += those that dsums [tokens, token width] gives them.
template <encoder_model Model, class Gradient, extent Width>
void add_up_embeddings_backward(const Model& model, const Gradient& gradient, compute_context& context,
                                const encoder_input& input, const whole_sequences& sequences,
                                activations<Width> dsums) {
  if (model.positions.is_there())
    backward(gradient.positions, context, dsums, [&](std::size_t row) {
      return static_cast<std::size_t>(first_position_of_table(model)) + position(sequences, row);
    });
  if constexpr (requires { model.token_types; })
    if (model.token_types.is_there())
      backward(gradient.token_types, context, dsums, [&](std::size_t row) {
        return input.types.empty() ? std::size_t{0} : static_cast<std::size_t>(input.types[row]);
      });
  copy_rows_backward(gradient.tokens, context, input.tokens, dsums);
}

/// The gradients of what embed read += those that dx [tokens, width], which is scratch, gives them.
template <encoder_model Model, class Gradient>
void embed_backward(const Model& model, const Gradient& gradient, compute_context& context,
                    const encoder_input& input, const whole_sequences& sequences,
                    activations<Model::width> dx, [[maybe_unused]] tape& tape) {
  if constexpr (requires { model.tokens_norm; }) {
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
    add_up_embeddings_backward(model, gradient, context, input, sequences, dsums);
  } else {
    add_up_embeddings_backward(model, gradient, context, input, sequences, dx);
  }
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

/// states [texts, width] = what a head for texts reads of x [tokens, width], by the model's pooling.
template <encoder_model Model>
void pool_texts(const Model& model, activations<Model::width> x, std::span<const std::size_t> offsets,
                activations<Model::width> states) {
  const text_pooling pooling = pooling_of(model);
  const extent width = x.cols();
  for (extent s = 0; s < states.rows(); ++s) {
    const std::size_t begin = offsets[static_cast<std::size_t>(s)],
                      end = offsets[static_cast<std::size_t>(s) + 1];
    float* const to = states.row(s).data();
    std::copy_n(x.row(static_cast<extent>(begin)).data(), width, to);
    if (pooling == text_pooling::first) continue;
    for (std::size_t t = begin + 1; t < end; ++t) {
      const float* const from = x.row(static_cast<extent>(t)).data();
      for (extent i = 0; i < width; ++i)
        to[i] = pooling == text_pooling::mean ? to[i] + from[i] : std::max(to[i], from[i]);
    }
    if (pooling == text_pooling::mean)
      for (extent i = 0; i < width; ++i) to[i] /= static_cast<float>(end - begin);
  }
}

/// dx [tokens, width] += the gradient that dstates [texts, width] gives it.
template <encoder_model Model>
void pool_texts_backward(const Model& model, activations<Model::width> x,
                         std::span<const std::size_t> offsets, activations<Model::width> dstates,
                         activations<Model::width> dx) {
  const text_pooling pooling = pooling_of(model);
  for (extent s = 0; s < dstates.rows(); ++s) {
    const std::size_t begin = offsets[static_cast<std::size_t>(s)];
    const std::size_t end =
        pooling == text_pooling::first ? begin + 1 : offsets[static_cast<std::size_t>(s) + 1];
    const float* const from = dstates.row(s).data();
    const auto at = [&](activations<Model::width> y, std::size_t t) {
      return y.row(static_cast<extent>(t)).data();
    };
    for (extent i = 0; i < dx.cols(); ++i) {
      if (pooling == text_pooling::max) {
        std::size_t greatest = begin;
        for (std::size_t t = begin + 1; t < end; ++t)
          if (at(x, t)[i] > at(x, greatest)[i]) greatest = t;
        at(dx, greatest)[i] += from[i];
      } else {
        for (std::size_t t = begin; t < end; ++t) at(dx, t)[i] += from[i] / static_cast<float>(end - begin);
      }
    }
  }
}

/// pooled [rows, width] of x [rows, width], hidden states: what the pooler makes of them.
template <encoder_model Model>
void pool(const Model& model, compute_context& context, activations<Model::width> x,
          activations<Model::width> pooled) {
  forward(model.pooler, context, x, any_width(pooled), {.activation = model.settings.pooler_activation});
}

/// [rows, token width], in memory of `scope`: what words are told by, of x [rows, width], hidden states.
template <encoder_model Model>
activations<dyn> transformed_words(const Model& model, compute_context& context, activations<Model::width> x,
                                   workspace::scope& scope) {
  const auto made = scope.take<dyn>(x.rows(), model.words.transform.weight.cols());
  forward(model.words.transform, context, x, made, {.activation = model.settings.words_activation});
  forward(model.words.norm, context, made, made, model.norms());
  return made;
}

/// logits [rows, vocab_size] of x [rows, width], hidden states.
template <encoder_model Model>
void project_words(const Model& model, compute_context& context, activations<Model::width> x, float* logits) {
  workspace::scope scope(context.memory);
  project_to_vocabulary(output_weight(model), context, transformed_words(model, context, x, scope), logits,
                        model.words.bias.data());
}

/// scores [rows, labels] of x [rows, width]: hidden states, which go through the pooler where there is one.
template <encoder_model Model>
void classify(const Model& model, compute_context& context, activations<Model::width> x, float* scores) {
  workspace::scope scope(context.memory);
  auto pooled = x;
  if constexpr (requires { model.pooler; })
    if (has_pooler(model)) pool(model, context, x, pooled = scope.take<Model::width>(x.rows(), x.cols()));
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
