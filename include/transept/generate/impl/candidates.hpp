// How candidates are taken in, and the likeliest of them found (generate/candidates.hpp).
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>

#include <transept/core/error.hpp>
#include <transept/generate/candidates.hpp>
#include <transept/kernels/softmax.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION void check_logits(std::span<const float> logits) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  unsigned impossible = logits.empty() ? 1u : 0u;
  unsigned possible = 0;
  for (const float logit : logits) {
    impossible |= static_cast<unsigned>(!(logit < infinity)); // NaN too
    possible |= static_cast<unsigned>(logit > -infinity);
  }
  if (!impossible && possible) return;
  if (logits.empty()) throw numeric_error("the model returned no logits");
  const auto bad = std::ranges::find_if_not(logits, [](float logit) { return logit < infinity; });
  const char* const likely =
      "\n  Most likely the model's weights are damaged (NaN or infinity in the file, or "
      "values too large for f32 sums).";
  if (bad == logits.end())
    throw numeric_error("all " + std::to_string(logits.size()) +
                        " logits are -infinity: no token can come next" + likely);
  throw numeric_error("the logit of token " + std::to_string(bad - logits.begin()) + " is " +
                      (std::isnan(*bad) ? "NaN" : "+infinity") + ": no token can be chosen" + likely);
}

TRANSEPT_FUNCTION candidates::candidates(std::size_t vocab_size, std::size_t history_capacity)
    : logits_(vocab_size), all_(vocab_size), spare_(vocab_size), weights_(vocab_size), seen_(vocab_size, 0) {
  history_.reserve(history_capacity);
}

TRANSEPT_FUNCTION void candidates::assign(std::span<const float> logits) {
  if (logits.size() != all_.size())
    throw argument_error("expected " + std::to_string(all_.size()) + " logits, found " +
                         std::to_string(logits.size()));
  check_logits(logits);
  std::ranges::copy(logits, logits_.begin());
  size_ = logits.size();
  is_listed_ = false;
}

TRANSEPT_FUNCTION void candidates::remember(token_id id) {
  if (id < 0 || static_cast<std::size_t>(id) >= all_.size())
    throw argument_error("token id " + std::to_string(id) + " is not in the vocabulary of " +
                         std::to_string(all_.size()) + " tokens");
  history_.push_back(id);
  seen_[static_cast<std::size_t>(id)] = 1;
}

TRANSEPT_FUNCTION void candidates::forget_history() {
  for (const token_id id : history_) seen_[static_cast<std::size_t>(id)] = 0;
  history_.clear();
}

TRANSEPT_FUNCTION float candidates::greatest_logit() const {
  if (!is_listed_ && size_ > 0)
    return kernels::greatest(logits_.data(), size_); // as check_logits passed them
  constexpr float infinity = std::numeric_limits<float>::infinity();
  unsigned impossible = 0;
  // Four maxima side by side, since each waits for the one before.
  std::array<float, 4> part = {-infinity, -infinity, -infinity, -infinity};
  const auto look = [&](std::size_t i, float& most) {
    const float logit = all_[i].logit;
    impossible |= static_cast<unsigned>(!(logit < infinity));
    most = logit > most ? logit : most;
  };
  std::size_t i = 0;
  for (; i + 4 <= size_; i += 4)
    for (std::size_t lane = 0; lane < 4; ++lane) look(i + lane, part[lane]);
  for (; i < size_; ++i) look(i, part[0]);
  const float greatest = *std::ranges::max_element(part);
  if (impossible || greatest == -infinity) throw_impossible();
  return greatest;
}

TRANSEPT_FUNCTION token_id candidates::likeliest() const {
  const float greatest = greatest_logit();
  if (!is_listed_) return static_cast<token_id>(std::ranges::find(logits_, greatest) - logits_.begin());
  return std::ranges::find(*this, greatest, &candidate::logit)->id;
}

TRANSEPT_FUNCTION void candidates::make_list() const {
  for (std::size_t i = 0; i < size_; ++i) all_[i] = {static_cast<token_id>(i), logits_[i]};
  is_listed_ = true;
}

TRANSEPT_FUNCTION void candidates::throw_impossible() const {
  for (const candidate& each : *this)
    if (!(each.logit < std::numeric_limits<float>::infinity()))
      throw numeric_error("after the filters the logit of token " + std::to_string(each.id) + " is " +
                          (std::isnan(each.logit) ? "NaN" : "+infinity") + ": no token can be chosen");
  throw numeric_error(size_ == 0 ? "the filters left no token to choose from"
                                 : "the filters left only tokens with a logit of -infinity");
}

} // namespace transept::inline TRANSEPT_ABI
