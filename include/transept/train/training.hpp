// Training a model: forward, loss, backward, optimizer.
//
//   transept::trainer trainer(model, {.clip_norm = 0.5});       // a copy of the model, as f32
//   for (…) training_step(trainer, tokens, targets, rate(step)); // returns the loss, and the gradient's norm
//   save(trainer.model(), "folder");
//
// The model in training is an ordinary model: it generates, is saved and looked into while it learns.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/layers/tape.hpp>
#include <transept/layers/whole_sequences.hpp>
#include <transept/models/decoder.hpp>
#include <transept/train/adamw.hpp>
#include <transept/train/loss.hpp>
#include <transept/train/parameters.hpp>
#include <transept/train/token_rows.hpp>

namespace transept::inline TRANSEPT_ABI {

/// What a trainer is made with.
struct training_options {
  adamw_options optimizer = {}; ///< of AdamW; the rate is told with each step
  /// The norm that gradients are clipped to; 0: they are not.
  double clip_norm = 1.0;
  /// What of each target's probability is spread over the vocabulary.
  float label_smoothing = 0.0f;
  /// Rates and seed; the pass is counted by the trainer.
  dropout_settings dropout = {};
  /// Fine-tuning: so many blocks, the first ones, stay as they are, and where there are any the embeddings
  /// too, with an output that is tied to them. They run as in inference and cost no memory beside their
  /// weights; the other blocks, the last norm and an output of its own are trained.
  std::size_t frozen_blocks = 0;
  /// For long contexts: of a block, a step keeps only the input (1 width per row instead of 12), and runs it
  /// again in the backward pass. The same bits for a third more time; a model may leave it unheeded.
  bool recompute_blocks = false;
  /// What the products of linear layers and of the output matrix are made in. With `bf16`, or `bf16x3`,
  /// parameters, gradients, moments, norms, softmax, the products inside attention and the loss stay f32.
  f32_precision products = f32_precision::full;
  /// Threads to compute with; 0: one per processor this process may use.
  int threads = 0;
};

namespace detail {

/// Throws argument_error for options out of range.
TRANSEPT_FUNCTION const training_options& checked_options(const training_options& options);

} // namespace detail

/// A model that can be trained with its first blocks frozen: it tells how many parameters come before a block
/// in the walk, and its forward and backward heed tape::frozen_blocks.
template <class Model>
concept freezable_model = requires(const Model& model, std::size_t block) {
  { parameters_before_block(model, block) } -> std::convertible_to<std::size_t>;
};

/// A model that a trainer takes: it has a shape, and a type for its gradient.
template <class Model>
concept trainable_model = requires(const Model& model) {
  { model.shape().n_layer } -> std::convertible_to<std::size_t>;
  typename Model::template stored_as<gradient_weights>;
};

/// A model that can be trained, all that training keeps beside it, and the memory of a step. One thread at a
/// time may use it; copies of its model share its parameters, and see them change.
template <trainable_model Model>
class trainer {
public:
  /// The model's type over gradients instead of weights.
  using gradient_type = typename Model::template stored_as<gradient_weights>;

  /// Takes a copy of `model`, of any element type, widened to f32. Throws argument_error for options out of
  /// range, std::bad_alloc.
  explicit trainer(const Model& model, training_options options = {})
      : options_(detail::checked_options(options)),
        threads_(options.threads),
        layout_(model, frozen_parameters(model, options.frozen_blocks)),
        parameters_(std::make_shared<buffer<float>>(zeros(layout_.size()))),
        gradients_(zeros(layout_.trained_size())),
        state_(layout_),
        model_(copy_into(model, layout_, parameters_, threads_)),
        gradient_(gradient_of(model_, layout_, gradients_)) {}

  trainer(const trainer&) = delete;
  trainer& operator=(const trainer&) = delete;

  /// The model in training; every optimizer step changes its parameters. Valid while the trainer is.
  const Model& model() const { return model_; }
  /// What the backward passes since the last optimizer step have added up.
  const gradient_type& gradient() const { return gradient_; }
  const training_options& options() const { return options_; } ///< what it was made with
  /// Optimizer steps made.
  std::size_t steps() const { return state_.steps; }

  /// Where each parameter lies in the flat buffers below, which checkpoints are made of.
  const parameter_layout& layout() const { return layout_; }
  buffer<float>& parameters() { return *parameters_; } ///< of all parameters: the model's own memory
  buffer<float>& gradients() { return gradients_; }    ///< of the trained ones only
  adamw_state& optimizer_state() { return state_; }    ///< moments, of the trained ones only, and steps
  thread_pool& threads() { return threads_; }          ///< that it computes with

  /// Bytes of parameters, gradients, moments, kept activations and scratch memory.
  std::size_t bytes() const {
    return (layout_.size() + 3 * layout_.trained_size()) * sizeof(float) + tape_.bytes() + memory_.capacity();
  }

  /// How many forward passes that may drop activations were made; a resumed run continues the count.
  std::uint64_t passes = 0;

  // For those who write a step of their own.

  gradient_type& own_gradient() { return gradient_; } ///< gradient(), which backward passes add to
  tape& begin_pass();                                 ///< the tape, empty, and told what the options say
  compute_context context() { return {threads_, memory_, options_.products}; } ///< with scratch memory

private:
  template <trainable_model M>
  friend double optimizer_step(trainer<M>&, double);

  static std::size_t frozen_parameters(const Model& model, std::size_t blocks) {
    if (blocks == 0) return 0;
    if (blocks > model.shape().n_layer)
      throw argument_error("frozen_blocks must be at most the model's " +
                           std::to_string(model.shape().n_layer) + " blocks; got " + std::to_string(blocks));
    if constexpr (requires { model.runs(); })
      if (model.runs() != model.blocks.size())
        throw argument_error("frozen_blocks must be 0 for a model whose blocks are run several times; got " +
                             std::to_string(blocks));
    if constexpr (freezable_model<Model>)
      return parameters_before_block(model, blocks);
    else
      throw argument_error("frozen_blocks must be 0 for a model without parameters_before_block "
                           "(transept::freezable_model); got " +
                           std::to_string(blocks));
  }

  training_options options_;
  thread_pool threads_;
  workspace memory_;
  tape tape_;
  parameter_layout layout_;
  std::shared_ptr<buffer<float>> parameters_;
  buffer<float> gradients_;
  adamw_state state_;
  std::vector<double> norm_sums_;
  Model model_;
  gradient_type gradient_;
};

template <trainable_model Model>
tape& trainer<Model>::begin_pass() {
  tape_.clear();
  tape_.dropout = options_.dropout;
  tape_.dropout.pass = passes++;
  tape_.frozen_blocks = options_.frozen_blocks;
  tape_.recompute_blocks = options_.recompute_blocks;
  return tape_;
}

/// Forward, loss and backward: gradients grow by `weight` times those of the mean loss over the targets,
/// which is returned. tokens and targets [sequences, length]; a target of no_target does not count. To
/// accumulate over n batches, call it n times with weight 1 / n. Throws argument_error, context_error; then
/// nothing has changed.
template <decoder_model Model>
double accumulate_gradients(trainer<Model>& trainer, token_rows tokens, token_rows targets,
                            double weight = 1.0) {
  const Model& model = trainer.model();
  detail::check_batch(model.shape(), tokens, targets);
  const std::span all_tokens(tokens.data(), static_cast<std::size_t>(tokens.size()));
  const std::span all_targets(targets.data(), static_cast<std::size_t>(targets.size()));
  const std::size_t counted = count_targets(all_targets);
  if (counted == 0) return 0.0;

  compute_context context = trainer.context();
  tape& tape = trainer.begin_pass();
  auto& gradient = trainer.own_gradient();
  workspace::scope scope(context.memory);
  const decoder_shape shape = model.shape();
  const auto width = static_cast<extent>(shape.n_embd), output_width = static_cast<extent>(shape.n_output);
  const auto x = scope.take<Model::width>(tokens.size(), width); // [rows, width]
  const auto normed = scope.take<output_width_of<Model>>(tokens.size(), output_width);
  const auto dx = scope.take<Model::width>(tokens.size(), width);

  whole_sequences sequences(static_cast<std::size_t>(tokens.cols()), &tape);
  forward(model, context, all_tokens, sequences, x, tape);
  final_norm(model, context, x, normed);
  const double loss =
      sum_losses_backward(output_weight(model), output_weight(gradient), context, normed, all_targets,
                          {.soft_cap = logit_soft_cap(model),
                           .smoothing = trainer.options().label_smoothing,
                           .weight = static_cast<float>(weight / static_cast<double>(counted)),
                           .bias = output_bias(model),
                           .bias_gradient = output_bias(gradient)},
                          normed);
  std::fill_n(dx.data(), dx.size(), 0.0f);
  final_norm_backward(model, gradient, context, x, normed, dx);
  backward(model, gradient, context, all_tokens, sequences, dx, tape);
  return loss / static_cast<double>(counted);
}

/// The mean loss over the targets, without dropout, smoothing or gradients; 0 where no target counts. Throws
/// as accumulate_gradients.
template <decoder_model Model>
double evaluate(trainer<Model>& trainer, token_rows tokens, token_rows targets) {
  const Model& model = trainer.model();
  detail::check_batch(model.shape(), tokens, targets);
  const std::span all_targets(targets.data(), static_cast<std::size_t>(targets.size()));
  const std::size_t counted = count_targets(all_targets);
  if (counted == 0) return 0.0;
  compute_context context = trainer.context();
  workspace::scope scope(context.memory);
  const decoder_shape shape = model.shape();
  const auto x = scope.take<Model::width>(tokens.size(), static_cast<extent>(shape.n_embd)); // [rows, width]
  const auto normed = scope.take<output_width_of<Model>>(tokens.size(), static_cast<extent>(shape.n_output));
  whole_sequences sequences(static_cast<std::size_t>(tokens.cols()));
  forward(model, context, std::span(tokens.data(), all_targets.size()), sequences, x, no_observer{});
  final_norm(model, context, x, normed);
  return sum_losses(output_weight(model), context, normed, all_targets, logit_soft_cap(model),
                    output_bias(model)) /
         static_cast<double>(counted);
}

/// Clips the gradients, makes a step of AdamW with learning rate `rate`, and clears the gradients; returns
/// the norm they had. Throws numeric_error, and changes nothing, where the norm is not finite.
template <trainable_model Model>
double optimizer_step(trainer<Model>& trainer, double rate) {
  const double norm = gradient_norm(trainer.threads_, trainer.gradients_, trainer.norm_sums_);
  if (!std::isfinite(norm))
    throw numeric_error("the gradient is not finite after step " + std::to_string(trainer.steps()));
  adamw_step(trainer.threads_, trainer.layout_, trainer.options_.optimizer, rate,
             clipping_factor(norm, trainer.options_.clip_norm), *trainer.parameters_, trainer.gradients_,
             trainer.state_);
  return norm;
}

/// What a training step tells.
struct step_result {
  double loss;          ///< nats per target, before the step
  double gradient_norm; ///< before clipping
};

/// One batch, one step: accumulate_gradients, then optimizer_step. After the first of its size it allocates
/// nothing.
template <decoder_model Model>
step_result training_step(trainer<Model>& trainer, token_rows tokens, token_rows targets, double rate) {
  const double loss = accumulate_gradients(trainer, tokens, targets);
  return {loss, optimizer_step(trainer, rate)};
}

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/train/impl/training.hpp>
#endif
