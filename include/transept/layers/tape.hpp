// What a forward pass leaves for its backward pass: a stack of activations. Each layer's `forward` keeps what
// its `backward` reads; since the backward pass visits the layers in reverse, each finds its own on top.
//
//   forward(model, context, tokens, cache, x, tape);       // as in inference, with a tape as the observer
//   backward(model, gradient, context, tokens, cache, dx, tape);
//
// What the layers of a GPT-2 keep of a row is 12 widths and a number for every head per block; all else is
// computed again. Where whole blocks are (Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost"),
// a pass keeps a block's input, forgets what the block itself keeps, and runs it once more just before its
// backward pass:
//
//   tape.keep_input(x);  forward(block, x, tape);  tape.forget();               // the forward pass
//   forward(block, tape.take_input<Width>(rows), tape);  backward(block, …);    // the backward pass
//
// A slot of a stack is allocated once and used again by every later step.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <deque>
#include <vector>

#include <transept/kernels/dropout.hpp>
#include <transept/layers/observer.hpp>
#include <transept/tensor/buffer.hpp>
#include <transept/tensor/view.hpp>

namespace transept::inline TRANSEPT_ABI {

/// The activations that a forward pass keeps, and what is asked of that pass. One pass at a time uses it.
class tape {
public:
  /// Uninitialised memory [rows, width] that stays until it is taken back.
  template <extent Width>
  activations<Width> keep(extent rows, extent width = Width) {
    return {keep_floats(static_cast<std::size_t>(rows * width)), rows, width};
  }

  /// A copy of `x`.
  template <extent Width>
  void keep_copy(activations<Width> x) {
    std::copy_n(x.data(), x.size(), keep<Width>(x.rows(), x.cols()).data());
  }

  /// What was kept last, [rows, width]; valid until something else is kept.
  template <extent Width>
  activations<Width> take_back(extent rows, extent width = Width) {
    return {take_back_floats(static_cast<std::size_t>(rows * width)), rows, width};
  }

  float* keep_floats(std::size_t count) { return kept_.push(count); }     ///< keep, for floats of no shape
  float* take_back_floats(std::size_t count) { return kept_.pop(count); } ///< take_back, for the same

  /// Keeps a copy of `x`, the input of layers that will be run again, until take_input.
  template <extent Width>
  void keep_input(activations<Width> x) {
    std::copy_n(x.data(), x.size(), inputs_.push(static_cast<std::size_t>(x.size())));
    starts_.push_back({kept_.depth(), place()});
  }

  /// Forgets what those layers kept, that is, all since keep_input; the place stays.
  void forget();

  /// The input that was kept last, [rows, width], and the place it was kept at; the layers may write over it.
  template <extent Width>
  activations<Width> take_input(extent rows, extent width = Width) {
    assert(kept_.depth() == starts_.back().depth);
    forgotten_ = starts_.back().place - kept_.depth();
    starts_.pop_back();
    return {inputs_.pop(static_cast<std::size_t>(rows * width)), rows, width};
  }

  /// Where in the model a pass is: how many things were kept on the way from its beginning, also those that
  /// were forgotten. The backward pass, and layers run again, come through the same places.
  std::size_t place() const { return forgotten_ + kept_.depth(); }

  /// Things kept now, inputs aside: none before a forward pass, and again after its backward pass.
  std::size_t depth() const { return kept_.depth(); }
  /// Forgets all that is kept.
  void clear();

  /// Bytes held, used or not.
  std::size_t bytes() const { return kept_.bytes() + inputs_.bytes(); }

  // What a pass asks of the layers, set before it.

  /// Which activations are dropped.
  dropout_settings dropout;
  /// Blocks, the first ones, that no gradient reaches, and the embeddings before them: they run as in
  /// inference, with nothing kept and nothing dropped.
  std::size_t frozen_blocks = 0;
  /// Of the other blocks only inputs are kept; they are run again in the backward pass.
  bool recompute_blocks = false;

private:
  class stack {
  public:
    float* push(std::size_t count);
    float* pop(std::size_t count);
    std::size_t depth() const { return depth_; }
    void cut(std::size_t depth) { depth_ = depth; }
    std::size_t bytes() const;

  private:
    struct slot {
      buffer<float> memory;
      std::size_t used = 0;
    };
    std::deque<slot> slots_;
    std::size_t depth_ = 0;
  };

  /// Where layers begin that will be run again.
  struct start {
    std::size_t depth, place;
  };

  stack kept_, inputs_;
  std::vector<start> starts_; // one for each input
  std::size_t forgotten_ = 0;
};

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/layers/impl/tape.hpp>
#endif
