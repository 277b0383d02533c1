// Logit filters: each changes the candidates' logits, or drops candidates, and leaves the choice to what
// follows. Meanings are Hugging Face's; each keeps at least one token. Neutral values (penalty 1,
// temperature 1, top_k >= vocabulary, top_p 1, min_p 0) change nothing, so a program may build one chain and
// set it by its options.
#pragma once

#include <cstddef>
#include <cstdint>

#include <transept/core/error.hpp>
#include <transept/generate/candidates.hpp>

namespace transept::inline TRANSEPT_ABI {

/// Divides positive logits, and multiplies negative ones, of every token in the history (the prompt too),
/// once however often it occurred. Above 1 discourages repetition, below 1 encourages it.
class repetition_penalty {
public:
  /// penalty > 0, finite; else argument_error.
  explicit repetition_penalty(double penalty);

  void operator()(candidates& list) const; ///< changes logits, drops none

private:
  float penalty_;
};

/// Divides every logit: below 1 sharpens the distribution, above 1 flattens it.
class temperature {
public:
  /// degrees > 0, finite; else argument_error. For "temperature 0" use greedy().
  explicit temperature(double degrees);

  void operator()(candidates& list) const; ///< throws as candidates::greatest_logit

private:
  float degrees_;
};

/// Keeps the ids below `count`: those that a vocabulary has, of a model that has more as padding.
class known_tokens {
public:
  /// As many as the vocabulary has, tokenizer::vocabulary_size().
  explicit known_tokens(std::size_t count) : count_(count) {}

  /// Throws numeric_error where none is left.
  void operator()(candidates& list) const;

private:
  std::size_t count_;
};

/// Keeps the k greatest logits, and all that equal the k-th.
class top_k {
public:
  /// k >= 1; else argument_error. More than the vocabulary keeps all.
  explicit top_k(std::int64_t k);

  void operator()(candidates& list) const; ///< drops the others

private:
  std::size_t k_;
};

/// Keeps the likeliest tokens, down to and with the one at which their probabilities together reach p. Of
/// equal logits the lower id counts as likelier.
class top_p {
public:
  /// 0 < p <= 1; else argument_error.
  explicit top_p(double p);

  void operator()(candidates& list) const; ///< throws as candidates::greatest_logit

private:
  double p_;
};

/// Keeps tokens at least p times as likely as the likeliest.
class min_p {
public:
  /// 0 <= p <= 1; else argument_error.
  explicit min_p(double p);

  void operator()(candidates& list) const; ///< throws as candidates::greatest_logit

private:
  float log_p_;
};

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/generate/impl/filters.hpp>
#endif
