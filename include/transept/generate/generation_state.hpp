// The part of a generation that depends on no model: options, history, log-probabilities, and when to stop.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/core/types.hpp>
#include <transept/generate/candidates.hpp>
#include <transept/generate/generation_options.hpp>
#include <transept/generate/speculation.hpp>
#include <transept/tensor/buffer.hpp>
#include <transept/tensor/view.hpp>
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

  /// Guesses so far, and those of them that came.
  speculation_counts speculated() const { return speculated_; }

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

  // Speculation. Drafts that were fed lie in the session behind what is certain; each that the sampler
  // chooses becomes certain in turn.

  /// The token to feed and drafts behind it, `room` tokens fitting the session.
  std::span<const token_id> tokens_to_feed(std::size_t room);
  /// Where the logits of such tokens go [tokens, vocab_size].
  matrix_view<float, dyn, dyn> room_for_logits(std::size_t tokens) {
    return {rows_.data(), static_cast<extent>(tokens), static_cast<extent>(list_->vocab_size())};
  }
  /// They were fed to the session, which has this length now; returns the logits behind the first.
  std::span<const float> fed(std::size_t tokens, std::size_t session_length);
  /// Whether the current token is the next draft, which is certain then.
  bool current_is_drafted() const { return ahead_ > 0 && fed_[row_ + 1] == current_.id; }
  /// The logits behind that.
  std::span<const float> take_draft();
  /// The drafts that did not come are out of the session again.
  void drafts_are_gone();

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
  double log_sum_ = 0;            ///< log Σ exp(logit) of the step, where log-probabilities are asked for
  detail::draft_count ahead_;     ///< drafts in the session that are not certain
  std::size_t behind_drafts_ = 0; ///< the session's length with them
  std::size_t row_ = 0;           ///< of the logits of the last pass: behind the last certain token
  std::vector<token_id> fed_;     ///< what the last pass of several tokens was over
  buffer<float> rows_;            ///< [most drafts + 1, vocab_size] its logits
  detail::draft_pace pace_;       ///< how many drafts are worth it
  speculation_counts speculated_; ///< so far

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
