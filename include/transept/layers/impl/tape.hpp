// The stacks of a tape (layers/tape.hpp).
#pragma once

#include <cassert>

#include <transept/layers/tape.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION void tape::forget() {
  const std::size_t depth = starts_.back().depth;
  forgotten_ += kept_.depth() - depth;
  kept_.cut(depth);
}

TRANSEPT_FUNCTION void tape::clear() {
  kept_.cut(0);
  inputs_.cut(0);
  starts_.clear();
  forgotten_ = 0;
}

TRANSEPT_FUNCTION float* tape::stack::push(std::size_t count) {
  if (depth_ == slots_.size()) slots_.emplace_back();
  slot& top = slots_[depth_++];
  if (top.memory.size() < count) {
    top.memory = {}; // first, so that both are never held
    top.memory = buffer<float>(count);
  }
  top.used = count;
  return top.memory.data();
}

TRANSEPT_FUNCTION float* tape::stack::pop([[maybe_unused]] std::size_t count) {
  assert(depth_ > 0 && slots_[depth_ - 1].used == count);
  return slots_[--depth_].memory.data();
}

TRANSEPT_FUNCTION std::size_t tape::stack::bytes() const {
  std::size_t total = 0;
  for (const auto& each : slots_) total += each.memory.size() * sizeof(float);
  return total;
}

} // namespace transept::inline TRANSEPT_ABI
