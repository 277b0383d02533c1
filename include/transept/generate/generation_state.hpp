// The part of a generation that depends on no model: options, history, log-probabilities, and when to stop.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/core/types.hpp>
#include <transept/generate/candidates.hpp>
#include <transept/generate/generation_options.hpp>
#include <transept/generate/probabilities.hpp>
#include <transept/text/string_matcher.hpp>
#include <transept/text/tokenizer.hpp>

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
  generation_state(generation_options options, std::span<const token_id> eos) : options_(std::move(options)) {
    if (!options_.ignore_eos) options_.stop_tokens.insert(options_.stop_tokens.end(), eos.begin(), eos.end());
    if (options_.stop_strings.empty()) return;
    if (!options_.tokenizer)
      throw argument_error(
          "generation_options has stop_strings but no tokenizer: set .tokenizer = &tokenizer");
    stop_strings_ = string_matcher(options_.stop_strings);
  }

  /// After the prompt: makes the buffers, for at most `room` further tokens.
  void start(std::span<const token_id> prompt, std::span<const float> logits, std::size_t room) {
    max_count_ = std::min(options_.max_new_tokens, room);
    list_.emplace(logits.size(), options_.history.size() + prompt.size() + max_count_);
    for (const token_id id : options_.history) list_->remember(id);
    for (const token_id id : prompt) list_->remember(id);
    if (options_.log_probabilities || options_.top_log_probabilities > 0) {
      raw_.resize(logits.size());
      top_candidates_.resize(std::min(options_.top_log_probabilities, logits.size()));
      top_.resize(top_candidates_.size());
    }
    prepare(logits);
  }

  /// Takes a step's logits.
  void prepare(std::span<const float> logits) {
    list_->assign(logits);
    if (raw_.empty()) return;
    std::ranges::copy(logits, raw_.begin());
    log_sum_ = log_sum_exp(*list_);
    std::partial_sort_copy(list_->begin(), list_->end(), top_candidates_.begin(), top_candidates_.end(),
                           [](const candidate& a, const candidate& b) {
                             return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
                           });
    std::ranges::transform(top_candidates_, top_.begin(), [this](const candidate& each) {
      return token_log_probability{each.id, log_probability(each.logit)};
    });
  }

  /// Whether another step may begin, `room` tokens fitting the session; if not, says why.
  bool may_continue(std::size_t room) {
    if (count_ >= options_.max_new_tokens) return finish(transept::finish_reason::max_new_tokens);
    if (stopped_) return finish(transept::finish_reason::stop_string);
    if (unfed_ && room == 0) {
      finish(transept::finish_reason::context_full);
      if (options_.context_full == context_full_policy::throw_error)
        throw context_error("the context is full: no room for another token after " + std::to_string(count_) +
                            " generated ones\n  Make the session larger, ask for fewer tokens, or choose "
                            "context_full_policy::stop.");
      return false;
    }
    return true;
  }

  /// Takes the sampler's choice.
  void accept(token_id id) {
    if (id < 0 || static_cast<std::size_t>(id) >= list_->vocab_size())
      throw argument_error("the sampler chose token " + std::to_string(id) +
                           ", which is not in the vocabulary of " + std::to_string(list_->vocab_size()) +
                           " tokens");
    unfed_ = false;
    if (std::ranges::find(options_.stop_tokens, id) != options_.stop_tokens.end()) {
      finish(transept::finish_reason::stop_token);
      return;
    }
    reason_ = transept::finish_reason::running;
    unfed_ = true;
    ++count_;
    list_->remember(id);
    current_.id = id;
    current_.top = top_;
    if (!raw_.empty()) current_.log_probability = log_probability(raw_[static_cast<std::size_t>(id)]);
    if (stop_strings_.empty()) return;
    for (const char byte : options_.tokenizer->bytes(id)) {
      stop_at_ = stop_strings_.step(stop_at_, byte);
      stopped_ = stopped_ || stop_strings_.match(stop_at_) != string_matcher::none;
    }
  }

  bool finish(transept::finish_reason reason) {
    reason_ = reason;
    return false;
  }

  float log_probability(float logit) const {
    return static_cast<float>(static_cast<double>(logit) - log_sum_);
  }

  generation_options options_;
  string_matcher stop_strings_;
  string_matcher::state stop_at_ = string_matcher::start;
  std::optional<candidates> list_;
  std::vector<float> raw_; // [vocab_size] the step's logits, kept where log-probabilities are asked for
  std::vector<candidate> top_candidates_;
  std::vector<token_log_probability> top_;
  double log_sum_ = 0;
  generated_token current_;
  std::size_t count_ = 0;
  std::size_t max_count_ = 0;
  bool due_ = true;      // the element that is asked for next has not been made
  bool unfed_ = false;   // current_ is not in the session
  bool stopped_ = false; // current_ completed a stop string
  transept::finish_reason reason_ = transept::finish_reason::running;
};

} // namespace transept::inline TRANSEPT_ABI
