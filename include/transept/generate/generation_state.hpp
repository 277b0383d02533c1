// The part of a generation that depends on no model: options, history, log-probabilities, and when to stop.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/core/types.hpp>
#include <transept/generate/candidates.hpp>
#include <transept/generate/generation_options.hpp>
#include <transept/text/string_matcher.hpp>

namespace transept::inline TRANSEPT_ABI {

/// Base of `generation`. All memory is taken in the constructor and in `start`.
class generation_state {
public:
  /// Why it ended; `running` while the end was not asked for. Looking does not run a step.
  transept::finish_reason finish_reason() const { return reason_; }

  /// The last token yielded, where it is not in the session yet: a token enters the session when its
  /// successor is asked for. To go on in the same session, put it before the next prompt.
  std::optional<token_id> pending() const {
    return unfed_ ? std::optional<token_id>(current_.id) : std::nullopt;
  }

  /// The most tokens it can yield: the options' number, or what fits the session.
  std::size_t max_count() const { return max_count_; }

protected:
  /// Throws argument_error for options that contradict themselves. `eos` are the model's stop tokens.
  generation_state(generation_options options, std::span<const token_id> eos);

  /// After the prompt: makes the buffers, for at most `room` further tokens.
  void start(std::span<const token_id> prompt, std::span<const float> logits, std::size_t room);

  /// Takes a step's logits.
  void prepare(std::span<const float> logits);

  /// Whether another step may begin, `room` tokens fitting the session; if not, says why.
  bool may_continue(std::size_t room);

  /// Takes the sampler's choice.
  void accept(token_id id);

  /// Ends it for this reason; returns false.
  bool finish(transept::finish_reason reason) {
    reason_ = reason;
    return false;
  }

  /// Of a token with this logit of the step, in nats.
  float log_probability(float logit) const {
    return static_cast<float>(static_cast<double>(logit) - log_sum_);
  }

  generation_options options_;  ///< its stop_tokens with the model's, unless those are ignored
  string_matcher stop_strings_; ///< empty where there are none
  string_matcher::state stop_at_ = string_matcher::start; ///< where the text so far leaves it
  std::optional<candidates> list_;                        ///< none before `start`
  std::vector<float> raw_; ///< [vocab_size] the step's logits, kept where log-probabilities are asked for
  std::vector<candidate> top_candidates_;  ///< the likeliest of the step, likeliest first
  std::vector<token_log_probability> top_; ///< the same, for generated_token::top
  double log_sum_ = 0;        ///< log Σ exp(logit) of the step, where log-probabilities are asked for
  generated_token current_;   ///< the last one yielded
  std::size_t count_ = 0;     ///< tokens yielded
  std::size_t max_count_ = 0; ///< the most that can be
  bool due_ = true;           ///< the element that is asked for next has not been made
  bool unfed_ = false;        ///< current_ is not in the session
  bool stopped_ = false;      ///< current_ completed a stop string
  transept::finish_reason reason_ = transept::finish_reason::running; ///< why it ended, or `running`
};

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/generate/impl/generation_state.hpp>
#endif
