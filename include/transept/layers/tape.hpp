// What a forward pass leaves for its backward pass: a stack of activations. Each layer's `forward` keeps what
// its `backward` reads; since the backward pass visits the layers in reverse, each finds its own on top.
//
//   forward(model, context, tokens, cache, x, tape);       // as in inference, with a tape as the observer
//   backward(model, gradient, context, tokens, cache, dx, tape);
//
// What the layers of a GPT-2 keep of a row is 12 widths and a number for every head per block; all else is
// computed again. A slot of the stack is allocated once and used again by every later step.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <deque>

#include <transept/kernels/dropout.hpp>
#include <transept/layers/observer.hpp>
#include <transept/tensor/buffer.hpp>
#include <transept/tensor/view.hpp>

namespace transept::inline TRANSEPT_ABI {

class tape {
public:
  /// Uninitialised memory [rows, Width] that stays until it is taken back.
  template <extent Width>
  activations<Width> keep(extent rows) {
    return {keep_floats(static_cast<std::size_t>(rows * Width)), rows};
  }

  /// A copy of `x`.
  template <extent Width>
  void keep_copy(activations<Width> x) {
    std::copy_n(x.data(), x.size(), keep<Width>(x.rows()).data());
  }

  /// What was kept last, [rows, Width]; valid until something else is kept.
  template <extent Width>
  activations<Width> take_back([[maybe_unused]] extent rows) {
    return {take_back_floats(static_cast<std::size_t>(rows * Width)), rows};
  }

  /// The same for floats of no shape.
  float* keep_floats(std::size_t count) {
    if (depth_ == slots_.size()) slots_.emplace_back();
    slot& top = slots_[depth_++];
    if (top.memory.size() < count) {
      top.memory = {}; // first, so that both are never held
      top.memory = buffer<float>(count);
    }
    top.used = count;
    return top.memory.data();
  }
  float* take_back_floats([[maybe_unused]] std::size_t count) {
    assert(depth_ > 0 && slots_[depth_ - 1].used == count);
    return slots_[--depth_].memory.data();
  }

  /// Things kept now: 0 before a forward pass, and again after its backward pass.
  std::size_t depth() const { return depth_; }
  /// Forgets all that is kept.
  void clear() { depth_ = 0; }

  /// Bytes held, used or not.
  std::size_t bytes() const {
    std::size_t total = 0;
    for (const auto& each : slots_) total += each.memory.size() * sizeof(float);
    return total;
  }

  // What a pass asks of the layers, set before it.

  /// Which activations are dropped.
  dropout_settings dropout;
  /// Blocks, the first ones, that no gradient reaches, and the embeddings before them: they run as in
  /// inference, with nothing kept and nothing dropped.
  std::size_t frozen_blocks = 0;

private:
  struct slot {
    buffer<float> memory;
    std::size_t used = 0;
  };

  std::deque<slot> slots_;
  std::size_t depth_ = 0;
};

} // namespace transept::inline TRANSEPT_ABI
