// What a sampler works on: the tokens that may come next, each with its logit, and the tokens before.
//
// All buffers are made once, for one vocabulary and one greatest length of the history; filling, filtering
// and choosing allocate nothing. Filters shrink the list in place and keep its order, which is the order of
// the ids, so whatever follows is the same on every machine and ties fall to the lowest id. The list itself
// is made when it is first looked at: greedy() on all of them needs none.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/core/types.hpp>
#include <transept/kernels/softmax.hpp>

namespace transept::inline TRANSEPT_ABI {

struct candidate {
  token_id id;
  float logit;
};

/// Throws numeric_error unless a distribution can be made of `logits` [vocab_size]: no NaN, no +infinity, and
/// not all of them -infinity (a single -infinity is a token that cannot come). One pass, no branches.
inline void check_logits(std::span<const float> logits) {
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

class candidates {
public:
  /// Buffers for `vocab_size` tokens and a history of up to `history_capacity` (beyond it remember() still
  /// works, but may allocate).
  explicit candidates(std::size_t vocab_size, std::size_t history_capacity = 0)
      : logits_(vocab_size),
        all_(vocab_size),
        spare_(vocab_size),
        weights_(vocab_size),
        seen_(vocab_size, 0) {
    history_.reserve(history_capacity);
  }

  /// Starts a step: every token of the vocabulary, in the order of the ids. `logits` [vocab_size].
  /// Throws numeric_error as check_logits does, argument_error for another size.
  void assign(std::span<const float> logits) {
    if (logits.size() != all_.size())
      throw argument_error("expected " + std::to_string(all_.size()) + " logits, found " +
                           std::to_string(logits.size()));
    check_logits(logits);
    std::ranges::copy(logits, logits_.begin());
    size_ = logits.size();
    is_listed_ = false;
  }

  /// Appends a token to the history. Throws argument_error if it is not in the vocabulary.
  void remember(token_id id) {
    if (id < 0 || static_cast<std::size_t>(id) >= all_.size())
      throw argument_error("token id " + std::to_string(id) + " is not in the vocabulary of " +
                           std::to_string(all_.size()) + " tokens");
    history_.push_back(id);
    seen_[static_cast<std::size_t>(id)] = 1;
  }

  void forget_history() {
    for (const token_id id : history_) seen_[static_cast<std::size_t>(id)] = 0;
    history_.clear();
  }

  /// The prompt and everything generated, oldest first.
  std::span<const token_id> history() const { return history_; }
  bool in_history(token_id id) const { return seen_[static_cast<std::size_t>(id)] != 0; }

  std::size_t vocab_size() const { return all_.size(); }

  // The tokens still possible. A filter may change their logits and, with keep_if, their number.
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  candidate* begin() { return listed(); }
  candidate* end() { return listed() + size_; }
  const candidate* begin() const { return listed(); }
  const candidate* end() const { return listed() + size_; }
  candidate& operator[](std::size_t i) { return listed()[i]; }
  const candidate& operator[](std::size_t i) const { return listed()[i]; }

  /// Drops every candidate for which `stays` is false; the others keep their order.
  template <class Predicate>
  void keep_if(Predicate stays) {
    candidate* const all = listed();
    std::size_t kept = 0;
    for (std::size_t i = 0; i < size_; ++i)
      if (stays(std::as_const(all[i]))) all[kept++] = all[i];
    size_ = kept;
  }

  /// The greatest logit among the candidates. Throws numeric_error if there is none greater than -infinity,
  /// or if a filter made one NaN or +infinity.
  float greatest_logit() const {
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

  /// The candidate with the greatest logit; of equal ones the lowest id. Throws as greatest_logit does.
  token_id likeliest() const {
    const float greatest = greatest_logit();
    if (!is_listed_) return static_cast<token_id>(std::ranges::find(logits_, greatest) - logits_.begin());
    return std::ranges::find(*this, greatest, &candidate::logit)->id;
  }

  /// Room for a filter's own work: as many candidates, and as many floats, as the vocabulary has tokens.
  std::span<candidate> spare() { return spare_; }
  std::span<float> weights() { return weights_; }

private:
  /// The list, made from the step's logits where nobody has looked at it before.
  candidate* listed() const {
    if (!is_listed_)
      for (std::size_t i = 0; i < size_; ++i) all_[i] = {static_cast<token_id>(i), logits_[i]};
    is_listed_ = true;
    return all_.data();
  }

  [[noreturn]] void throw_impossible() const {
    for (const candidate& each : *this)
      if (!(each.logit < std::numeric_limits<float>::infinity()))
        throw numeric_error("after the filters the logit of token " + std::to_string(each.id) + " is " +
                            (std::isnan(each.logit) ? "NaN" : "+infinity") + ": no token can be chosen");
    throw numeric_error(size_ == 0 ? "the filters left no token to choose from"
                                   : "the filters left only tokens with a logit of -infinity");
  }

  std::vector<float> logits_;          // of the step, as the model gave them
  mutable std::vector<candidate> all_; // if is_listed_, the first size_ are still possible; else it is stale
  mutable bool is_listed_ = false;
  std::size_t size_ = 0;
  std::vector<candidate> spare_;
  std::vector<float> weights_;
  std::vector<token_id> history_;
  std::vector<unsigned char> seen_; // [vocab_size]: 1 for ids in the history
};

} // namespace transept::inline TRANSEPT_ABI
