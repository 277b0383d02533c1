// The loop over a model's blocks, forward and backward, which decoders and encoders share: observers, the
// tape, blocks that are frozen, blocks that are run again.
//
//   x = embed(…);  for each block: x = block(x)
#pragma once

#include <concepts>
#include <cstddef>
#include <string_view>

#include <transept/kernels/dropout.hpp>
#include <transept/layers/block.hpp>
#include <transept/layers/kv_cache.hpp>
#include <transept/layers/observer.hpp>
#include <transept/layers/position_terms.hpp>
#include <transept/layers/tape.hpp>
#include <transept/layers/whole_sequences.hpp>
#include <transept/runtime/compute_context.hpp>
#include <transept/tensor/parameters.hpp>
#include <transept/tensor/view.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A model made of blocks. `settings_of_block(model, layer, terms)` is a function beside it: the numbers that
/// block `layer` runs with in a pass whose positions are `terms`, angles or biases, which it passes on where
/// the block is to heed them. shape_of asks it too, with terms of nothing. Where the same blocks run several
/// times, `runs()` says how often one is run, and `block_of(run)` which.
template <class Model>
concept block_model = requires(const Model& model) {
  model.blocks;
  { model.norms() } -> std::convertible_to<norm_settings>;
  settings_of_block(model, std::size_t{}, position_terms{});
};

/// How many blocks a pass goes through.
template <block_model Model>
std::size_t runs_of(const Model& model) {
  if constexpr (requires { model.runs(); })
    return model.runs();
  else
    return model.blocks.size();
}

/// Which of a model's `blocks` is the one that is run as `run`.
template <block_model Model>
std::size_t block_of(const Model& model, std::size_t run) {
  if constexpr (requires { model.block_of(run); })
    return model.block_of(run);
  else
    return run;
}

/// What attention is to know of the positions of `rows` rows, in memory of `scope`.
template <block_model Model, key_value_cache Cache>
position_terms terms_of_positions(const Model& model, workspace::scope& scope, const Cache& cache,
                                  std::size_t rows) {
  position_terms terms;
  if constexpr (requires { model.rotary; }) terms.rotation = rotation_of(model.rotary, scope, cache, rows);
  if constexpr (requires { model.alibi; }) terms.bias = bias_of(model.alibi, scope, cache, rows);
  return terms;
}

/// How many parameters come before block `block` in the walk: the embeddings', and those of the blocks
/// before.
template <block_model Model>
std::size_t parameters_before_block(const Model& model, std::size_t block) {
  std::size_t before = 0;
  bool reached = false;
  for_each_parameter_here(
      [&](std::string_view here, const auto&) {
        reached = reached || here.starts_with("blocks.");
        if (!reached) ++before;
      },
      model);
  return before + block * leaf_count(model.blocks.front());
}

/// x [rows, width] = what comes of embed(observer), which fills x, after the last block. The rows follow the
/// positions in `cache`, to which they are appended (the caller advances it).
template <block_model Model, key_value_cache Cache, class Embed, class Observer>
void forward_stack(const Model& model, compute_context& context, Cache& cache, activations<Model::width> x,
                   Embed&& embed, Observer&& observer) {
  workspace::scope scope(context.memory);
  const auto rows = static_cast<std::size_t>(x.rows()), width = static_cast<std::size_t>(x.cols());
  const std::size_t runs = runs_of(model);
  const position_terms terms = terms_of_positions(model, scope, cache, rows);
  const auto show = [&]([[maybe_unused]] std::size_t index) {
    if constexpr (observing<Observer>) observer.hidden_state(index, x.data(), rows, width);
  };
  const auto forward_block = [&](auto& of_rows, std::size_t layer, auto&& watching) {
    forward(model.blocks[block_of(model, layer)], context, x, of_rows, layer,
            settings_of_block(model, layer, terms), watching);
  };
  std::size_t layer = 0;
  if constexpr (taping<Observer>) {
    if (observer.frozen_blocks == 0) {
      embed(observer);
      if (observer.dropout.embedding > 0)
        kernels::drop(context, detail::mask_here(observer, observer.dropout.embedding), x.data(), rows, width,
                      x.data());
    } else {
      embed(no_observer{});
    }
    auto unkept = cache.kept_by(nullptr);
    for (; layer < observer.frozen_blocks; ++layer) forward_block(unkept, layer, no_observer{});
    for (; observer.recompute_blocks && layer < runs; ++layer) {
      observer.keep_input(x);
      forward_block(cache, layer, observer);
      observer.forget();
    }
  } else {
    embed(observer);
  }
  show(0);
  for (; layer < runs; ++layer) {
    forward_block(cache, layer, observer);
    if (layer + 1 < runs) show(layer + 1); // the last one is shown after the last norm
  }
}

/// The way back: dx [rows, width] is the gradient of what the forward pass gave; the gradients of the blocks
/// that are not frozen grow by their part, and where none is, embed_backward() takes what dx has become.
template <block_model Model, class Gradient, class EmbedBackward>
void backward_stack(const Model& model, const Gradient& gradient, compute_context& context,
                    const whole_sequences& sequences, activations<Model::width> dx,
                    EmbedBackward&& embed_backward, tape& tape) {
  workspace::scope scope(context.memory);
  const auto rows = static_cast<std::size_t>(dx.rows());
  const position_terms terms = terms_of_positions(model, scope, sequences, rows);
  for (std::size_t layer = runs_of(model); layer-- > tape.frozen_blocks;) {
    const std::size_t block = block_of(model, layer);
    const block_settings settings = settings_of_block(model, layer, terms);
    if (tape.recompute_blocks) {
      whole_sequences again = sequences.kept_by(&tape);
      forward(model.blocks[block], context, tape.take_input<Model::width>(dx.rows(), dx.cols()), again, layer,
              settings, tape);
    }
    backward(model.blocks[block], gradient.blocks[block], context, dx, sequences, settings, tape);
  }
  if (tape.frozen_blocks > 0) return;
  if (tape.dropout.embedding > 0)
    kernels::drop(context, detail::mask_here(tape, tape.dropout.embedding), dx.data(), rows,
                  static_cast<std::size_t>(dx.cols()), dx.data());
  embed_backward();
}

} // namespace transept::inline TRANSEPT_ABI
