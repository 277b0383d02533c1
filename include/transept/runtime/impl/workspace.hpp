// Where a workspace's blocks come from (runtime/workspace.hpp).
#pragma once

#include <transept/runtime/workspace.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION workspace::workspace(std::size_t bytes) {
  if (bytes > 0) chunks_.emplace_back(round_up(bytes));
}

TRANSEPT_FUNCTION std::size_t workspace::capacity() const {
  std::size_t total = 0;
  for (const auto& chunk : chunks_) total += chunk.size();
  return total;
}

TRANSEPT_FUNCTION std::byte* workspace::take(std::size_t bytes) {
  while (chunk_ < chunks_.size() && chunks_[chunk_].size() - used_ < bytes) {
    ++chunk_;
    used_ = 0;
  }
  if (chunk_ == chunks_.size()) chunks_.emplace_back(bytes);
  std::byte* block = chunks_[chunk_].data() + used_;
  used_ += bytes;
  return block;
}

} // namespace transept::inline TRANSEPT_ABI
