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

/// Rows of hidden states that a head reads, and where its gradient goes.
template <extent Width>
struct head_rows_of {
  std::span<const std::size_t> rows;   ///< of all
  activations<Width> states, gradient; ///< [rows, width] of those

  head_rows_of(workspace::scope& scope, std::span<const std::size_t> which, activations<Width> x)
      : rows(which),
        states(scope.take<Width>(static_cast<extent>(which.size()), x.cols())),
        gradient(scope.take<Width>(static_cast<extent>(which.size()), x.cols())) {
    for (std::size_t i = 0; i < which.size(); ++i)
      std::copy_n(x.row(static_cast<extent>(which[i])).data(), x.cols(),
                  states.row(static_cast<extent>(i)).data());
  }

  /// dx += the gradient.
  void add_to(activations<Width> dx) const {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      float* const to = dx.row(static_cast<extent>(rows[i])).data();
      const float* const from = gradient.row(static_cast<extent>(i)).data();
      for (extent j = 0; j < dx.cols(); ++j) to[j] += from[j];
    }
  }
};

/// The mean loss of words told of rows of hidden states, whose gradient is written; all that is read grows
/// its own, times `weight`.
template <encoder_model Model, class Gradient>
double words_loss_backward(const Model& model, const Gradient& gradient, compute_context& context,
                           const head_rows_of<Model::width>& at, std::span<const token_id> targets,
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
                            const head_rows_of<Model::width>& at, const Layer& layer,
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
  if (pools) {
    forward(model.pooler, context, at.states, any_width(before));
    kernels::activate(context, model.settings.pooler_activation, before.data(), count, pooled.data());
  } else {
    std::copy_n(at.states.data(), count, pooled.data());
  }
  drop(pooled);
  forward(layer, context, pooled, scores);
  const double loss = judge(scores.data());
  backward(layer, layer_gradient, context, pooled, scores, at.gradient);
  drop(at.gradient);
  if (pools) {
    const auto dpooled = scope.take<Model::width>(rows, width);
    std::copy_n(at.gradient.data(), count, dpooled.data());
    kernels::activate_backward(context, model.settings.pooler_activation, before.data(), count, pooled.data(),
                               dpooled.data());
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
  check_texts(shape, static_cast<std::size_t>(model.token_types.weight.rows()), input);
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
  auto* const rows = reinterpret_cast<std::size_t*>(scope.floats(2 * count)); // those that a head reads
  std::size_t used = 0;
  if (has_words(head)) {
    auto* const words = reinterpret_cast<token_id*>(scope.floats(count));
    for (std::size_t t = 0; t < count; ++t)
      if (targets.words[t] != no_target) {
        words[used] = targets.words[t];
        rows[used++] = t;
      }
    if (used > 0) {
      const detail::head_rows_of<Model::width> at(scope, {rows, used}, x);
      loss +=
          detail::words_loss_backward(model, gradient, context, at, {words, used}, trainer.options(), weight);
      at.add_to(dx);
    }
  }
  if (head != encoder_head::masked_lm) {
    const bool is_next = model.next_sentence.is_there(), is_of_tokens = is_per_token(head) && !is_next;
    used = is_of_tokens ? count : input.texts();
    for (std::size_t i = 0; i < used; ++i) rows[i] = is_of_tokens ? i : input.offsets[i];
    const detail::head_rows_of<Model::width> at(scope, {rows, used}, x);
    const auto judge = [&](float* scores) {
      return scores_loss(is_next ? encoder_head::next_sentence : head, is_next ? 2 : outputs, input, targets,
                         scores, weight);
    };
    loss += is_next ? detail::scores_loss_backward(model, gradient, context, at, model.next_sentence,
                                                   gradient.next_sentence, true, tape, judge)
                    : detail::scores_loss_backward(model, gradient, context, at, model.classifier,
                                                   gradient.classifier, model.pooler.is_there(), tape, judge);
    at.add_to(dx);
  }
  backward(model, gradient, context, input, sequences, dx, tape);
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
