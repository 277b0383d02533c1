// What a sampler works on: the tokens that may come next, each with its logit, and the tokens before.
//
// All buffers are made once, for one vocabulary and one greatest length of the history; filling, filtering
// and choosing allocate nothing. Filters shrink the list in place and keep its order, which is the order of
// the ids, so whatever follows is the same on every machine and ties fall to the lowest id. The list itself
// is made when it is first looked at: greedy() on all of them needs none.
#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/core/types.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A token that may come next.
struct candidate {
  token_id id; ///< of the token
  float logit; ///< the model's, as filters have changed it
};

/// Throws numeric_error unless a distribution can be made of `logits` [vocab_size]: no NaN, no +infinity, and
/// not all of them -infinity (a single -infinity is a token that cannot come). One pass, no branches.
TRANSEPT_FUNCTION void check_logits(std::span<const float> logits);

/// The tokens that may come next, and those that came before. One thread at a time, for const functions
/// too: the first of them to need the list makes it.
class candidates {
public:
  /// Buffers for `vocab_size` tokens and a history of up to `history_capacity` (beyond it remember() still
  /// works, but may allocate).
  explicit candidates(std::size_t vocab_size, std::size_t history_capacity = 0);

  /// Starts a step: every token of the vocabulary, in the order of the ids. `logits` [vocab_size].
  /// Throws numeric_error as check_logits does, argument_error for another size.
  void assign(std::span<const float> logits);

  /// Appends a token to the history. Throws argument_error if it is not in the vocabulary.
  void remember(token_id id);

  /// The history is empty again.
  void forget_history();

  /// The prompt and everything generated, oldest first.
  std::span<const token_id> history() const { return history_; }
  /// Whether `id`, which must be in the vocabulary, is in the history.
  bool in_history(token_id id) const { return seen_[static_cast<std::size_t>(id)] != 0; }

  std::size_t vocab_size() const { return all_.size(); } ///< tokens in all, those dropped too

  // The tokens still possible. A filter may change their logits and, with keep_if, their number.
  std::size_t size() const { return size_; }                   ///< how many are left
  bool empty() const { return size_ == 0; }                    ///< whether all were dropped
  candidate* begin() { return listed(); }                      ///< in the order of the ids
  candidate* end() { return listed() + size_; }                ///< behind the last
  const candidate* begin() const { return listed(); }          ///< in the order of the ids
  const candidate* end() const { return listed() + size_; }    ///< behind the last
  candidate& operator[](std::size_t i) { return listed()[i]; } ///< the i-th of those left; i < size()
  /// The i-th of those left; i < size().
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
  float greatest_logit() const;

  /// The candidate with the greatest logit; of equal ones the lowest id. Throws as greatest_logit does.
  token_id likeliest() const;

  std::span<candidate> spare() { return spare_; } ///< [vocab_size]: room for a filter's own work
  std::span<float> weights() { return weights_; } ///< [vocab_size]: the same; samplers use it too

private:
  /// The list, made where nobody has looked at it before.
  candidate* listed() const {
    if (!is_listed_) make_list();
    return all_.data();
  }

  /// From the step's logits.
  void make_list() const;

  [[noreturn]] void throw_impossible() const;

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

#if !TRANSEPT_IS_COMPILED
#include <transept/generate/impl/candidates.hpp>
#endif
