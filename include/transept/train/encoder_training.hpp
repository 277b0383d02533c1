// Training an encoder on any of its heads: texts of any lengths, one behind another, and targets.
//
//   transept::trainer trainer(model, {.clip_norm = 1.0});
//   for (…) training_step(trainer, texts.input(), {.labels = labels}, rate(step));
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include <transept/core/error.hpp>
#include <transept/encode/encoder_session.hpp>
#include <transept/kernels/activation.hpp>
#include <transept/kernels/dropout.hpp>
#include <transept/models/encoder.hpp>
#include <transept/train/encoder_loss.hpp>
#include <transept/train/training.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

/// Hidden states that a head reads, and their gradient: both [count, width].
template <extent Width>
struct head_states {
  activations<Width> states, gradient;

  head_states(workspace::scope& scope, std::size_t count, extent width)
      : states(scope.take<Width>(static_cast<extent>(count), width)),
        gradient(scope.take<Width>(static_cast<extent>(count), width)) {}

  /// Some of the rows of x.
  void take_rows(std::span<const std::size_t> rows, activations<Width> x) const {
    for (std::size_t i = 0; i < rows.size(); ++i)
      std::copy_n(x.row(static_cast<extent>(rows[i])).data(), x.cols(),
                  states.row(static_cast<extent>(i)).data());
  }

  /// Those rows of dx += the gradient.
  void add_rows(std::span<const std::size_t> rows, activations<Width> dx) const {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      float* const to = dx.row(static_cast<extent>(rows[i])).data();
      const float* const from = gradient.row(static_cast<extent>(i)).data();
      for (extent j = 0; j < dx.cols(); ++j) to[j] += from[j];
    }
  }
};

/// The rows of texts that have a target, and those targets, in scratch memory.
struct chosen_words {
  std::span<const std::size_t> rows;
  std::span<const token_id> words;

  chosen_words(workspace::scope& scope, std::span<const token_id> targets) {
    auto* const places = reinterpret_cast<std::size_t*>(scope.floats(2 * targets.size()));
    auto* const chosen = reinterpret_cast<token_id*>(scope.floats(targets.size()));
    std::size_t used = 0;
    for (std::size_t t = 0; t < targets.size(); ++t) {
      if (targets[t] == no_target) continue;
      chosen[used] = targets[t];
      places[used++] = t;
    }
    rows = {places, used};
    words = {chosen, used};
  }
};

/// scores_loss of what a model's classifier, or its layer for the next sentence, gave.
template <encoder_model Model>
double loss_of_scores(const Model& model, const encoder_input& input, const encoder_targets& targets,
                      float* scores, scores_loss_settings settings = {}) {
  const bool is_next = has_next_sentence(model);
  if constexpr (requires { model.settings.problem_type; })
    settings.has_many_labels = model.settings.problem_type == "multi_label_classification";
  return scores_loss(is_next ? encoder_head::next_sentence : model.settings.head,
                     is_next ? 2 : static_cast<std::size_t>(model.config.n_labels), input, targets, scores,
                     settings);
}

/// The mean loss of words told of rows of hidden states, whose gradient is written; all that is read grows
/// its own, times `weight`.
template <encoder_model Model, class Gradient>
double words_loss_backward(const Model& model, const Gradient& gradient, compute_context& context,
                           const head_states<Model::width>& at, std::span<const token_id> targets,
                           const training_options& options, double weight) {
  workspace::scope scope(context.memory);
  const extent rows = at.states.rows(), width = model.words.transform.weight.cols();
  const auto before = scope.take<dyn>(rows, width), made = scope.take<dyn>(rows, width);
  const auto normed = scope.take<dyn>(rows, width), dmade = scope.take<dyn>(rows, width);
  const auto count = static_cast<std::size_t>(before.size());
  forward(model.words.transform, context, at.states, before);
  kernels::activate(context, model.settings.words_activation, before.data(), count, made.data());
  forward(model.words.norm, context, made, normed, model.norms());
  const double loss =
      sum_losses_backward(output_weight(model), output_weight(gradient), context, normed, targets,
                          {.smoothing = options.label_smoothing,
                           .weight = static_cast<float>(weight / static_cast<double>(targets.size())),
                           .bias = model.words.bias.data(),
                           .bias_gradient = gradient.words.bias.data()},
                          normed);
  std::fill_n(dmade.data(), dmade.size(), 0.0f);
  backward(model.words.norm, gradient.words.norm, context, made, normed, dmade, model.norms());
  kernels::activate_backward(context, model.settings.words_activation, before.data(), count, made.data(),
                             dmade.data());
  backward(model.words.transform, gradient.words.transform, context, at.states, dmade, at.gradient);
  return loss / static_cast<double>(targets.size());
}

/// The same of scores that `layer` makes of pooled rows (`pools`), or of the rows; `judge(scores)` tells the
/// mean loss and makes scores its gradient.
template <encoder_model Model, class Gradient, class Layer, class LayerGradient, class Judge>
double scores_loss_backward(const Model& model, const Gradient& gradient, compute_context& context,
                            const head_states<Model::width>& at, const Layer& layer,
                            const LayerGradient& layer_gradient, bool pools, const tape& tape,
                            Judge&& judge) {
  workspace::scope scope(context.memory);
  const extent rows = at.states.rows(), width = at.states.cols();
  const auto before = scope.take<Model::width>(rows, width), pooled = scope.take<Model::width>(rows, width);
  const auto scores = scope.take<dyn>(rows, layer.weight.cols());
  const auto count = static_cast<std::size_t>(before.size());
  const auto drop = [&](activations<Model::width> y) {
    if (tape.dropout.residual > 0)
      kernels::drop(context, mask_here(tape, tape.dropout.residual), y.data(), static_cast<std::size_t>(rows),
                    static_cast<std::size_t>(width), y.data());
  };
  std::copy_n(at.states.data(), count, pooled.data());
  if constexpr (requires { model.pooler; })
    if (pools) {
      forward(model.pooler, context, at.states, any_width(before));
      kernels::activate(context, model.settings.pooler_activation, before.data(), count, pooled.data());
    }
  drop(pooled);
  forward(layer, context, pooled, scores);
  const double loss = judge(scores.data());
  backward(layer, layer_gradient, context, pooled, scores, at.gradient);
  drop(at.gradient);
  if constexpr (requires { model.pooler; })
    if (pools) {
      const auto dpooled = scope.take<Model::width>(rows, width);
      std::copy_n(at.gradient.data(), count, dpooled.data());
      kernels::activate_backward(context, model.settings.pooler_activation, before.data(), count,
                                 pooled.data(), dpooled.data());
      backward(model.pooler, gradient.pooler, context, at.states, dpooled, at.gradient);
    }
  return loss;
}

} // namespace detail

/// Forward, loss and backward: gradients grow by `weight` times those of the mean loss, which is returned
/// (of pretraining, the sum of both). Throws as check_texts and check_targets do; then nothing has changed.
template <encoder_model Model>
double accumulate_gradients(trainer<Model>& trainer, const encoder_input& input,
                            const encoder_targets& targets, double weight = 1.0) {
  const Model& model = trainer.model();
  const decoder_shape shape = model.shape();
  const encoder_head head = model.settings.head;
  const auto outputs = static_cast<std::size_t>(model.config.n_labels);
  check_texts(shape, token_types_of(model), input);
  check_targets(head, outputs, shape.vocab_size, input, targets);

  compute_context context = trainer.context();
  tape& tape = trainer.begin_pass();
  const auto& gradient = trainer.own_gradient();
  workspace::scope scope(context.memory);
  const auto tokens = static_cast<extent>(input.tokens.size()), width = static_cast<extent>(shape.n_embd);
  const auto x = scope.take<Model::width>(tokens, width), dx = scope.take<Model::width>(tokens, width);
  whole_sequences sequences(input.offsets, &tape);
  forward(model, context, input, sequences, x, tape);

  std::fill_n(dx.data(), dx.size(), 0.0f);
  double loss = 0;
  const std::size_t count = input.tokens.size();
  if constexpr (requires { model.words; })
    if (has_words(head)) {
      const detail::chosen_words chosen(scope, targets.words);
      if (!chosen.rows.empty()) {
        const detail::head_states<Model::width> at(scope, chosen.rows.size(), width);
        at.take_rows(chosen.rows, x);
        loss += detail::words_loss_backward(model, gradient, context, at, chosen.words, trainer.options(),
                                            weight);
        at.add_rows(chosen.rows, dx);
      }
    }
  const auto judge = [&](float* scores) {
    return detail::loss_of_scores(model, input, targets, scores,
                                  {.weight = weight, .smoothing = trainer.options().label_smoothing});
  };
  if constexpr (requires { model.next_sentence; })
    if (has_next_sentence(model)) {
      const detail::head_states<Model::width> at(scope, input.texts(), width);
      pool_texts(model, x, input.offsets, at.states);
      loss += detail::scores_loss_backward(model, gradient, context, at, model.next_sentence,
                                           gradient.next_sentence, true, tape, judge);
      pool_texts_backward(model, x, input.offsets, at.gradient, dx);
    }
  if (model.classifier.is_there()) {
    const bool is_of_tokens = is_per_token(head);
    const detail::head_states<Model::width> at(scope, is_of_tokens ? count : input.texts(), width);
    if (is_of_tokens)
      std::copy_n(x.data(), x.size(), at.states.data());
    else
      pool_texts(model, x, input.offsets, at.states);
    loss += detail::scores_loss_backward(model, gradient, context, at, model.classifier, gradient.classifier,
                                         has_pooler(model), tape, judge);
    if (is_of_tokens)
      std::copy_n(at.gradient.data(), dx.size(), dx.data());
    else
      pool_texts_backward(model, x, input.offsets, at.gradient, dx);
  }
  backward(model, gradient, context, input, sequences, dx, tape);
  return loss;
}

/// The mean loss over the targets, as accumulate_gradients returns it, without dropout, smoothing or
/// gradients. Throws the same.
template <encoder_model Model>
double evaluate(trainer<Model>& trainer, const encoder_input& input, const encoder_targets& targets) {
  const Model& model = trainer.model();
  const decoder_shape shape = model.shape();
  const encoder_head head = model.settings.head;
  check_texts(shape, token_types_of(model), input);
  check_targets(head, static_cast<std::size_t>(model.config.n_labels), shape.vocab_size, input, targets);
  compute_context context = trainer.context();
  workspace::scope scope(context.memory);
  const auto tokens = static_cast<extent>(input.tokens.size()), width = static_cast<extent>(shape.n_embd);
  const auto texts = static_cast<extent>(input.texts());
  const auto x = scope.take<Model::width>(tokens, width);
  whole_sequences sequences(input.offsets);
  forward(model, context, input, sequences, x);

  double loss = 0;
  if constexpr (requires { model.words; })
    if (has_words(head)) {
      const detail::chosen_words chosen(scope, targets.words);
      if (!chosen.rows.empty()) {
        const detail::head_states<Model::width> at(scope, chosen.rows.size(), width);
        at.take_rows(chosen.rows, x);
        loss += sum_losses(output_weight(model), context, transformed_words(model, context, at.states, scope),
                           chosen.words, 0.0f, model.words.bias.data()) /
                static_cast<double>(chosen.rows.size());
      }
    }
  const auto states = scope.take<Model::width>(texts, width);
  pool_texts(model, x, input.offsets, states);
  if constexpr (requires { model.next_sentence; })
    if (has_next_sentence(model)) {
      float* const scores = scope.floats(2 * input.texts());
      judge_next_sentence(model, context, states, scores);
      loss += detail::loss_of_scores(model, input, targets, scores);
    }
  if (model.classifier.is_there()) {
    const auto& read = is_per_token(head) ? x : states;
    float* const scores =
        scope.floats(static_cast<std::size_t>(read.rows() * model.classifier.weight.cols()));
    classify(model, context, read, scores);
    loss += detail::loss_of_scores(model, input, targets, scores);
  }
  return loss;
}

/// One batch, one step, as for decoders.
template <encoder_model Model>
step_result training_step(trainer<Model>& trainer, const encoder_input& input, const encoder_targets& targets,
                          double rate) {
  const double loss = accumulate_gradients(trainer, input, targets);
  return {loss, optimizer_step(trainer, rate)};
}

} // namespace transept::inline TRANSEPT_ABI
