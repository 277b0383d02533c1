// How a generation goes from step to step (generate/generation_state.hpp).
#pragma once

#include <algorithm>
#include <string>
#include <utility>

#include <transept/core/error.hpp>
#include <transept/generate/generation_state.hpp>
#include <transept/generate/probabilities.hpp>
#include <transept/text/tokenizer.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION generation_state::generation_state(generation_options options,
                                                     std::span<const token_id> eos)
    : options_(std::move(options)) {
  detail::check_speculation(options_.speculation);
  if (!options_.ignore_eos) options_.stop_tokens.insert(options_.stop_tokens.end(), eos.begin(), eos.end());
  if (options_.stop_strings.empty()) return;
  if (!options_.tokenizer)
    throw argument_error("generation_options has stop_strings but no tokenizer: set .tokenizer = &tokenizer");
  stop_strings_ = string_matcher(options_.stop_strings);
}

TRANSEPT_FUNCTION void generation_state::start(std::span<const token_id> prompt,
                                               std::span<const float> logits, std::size_t room) {
  max_count_ = std::min(options_.max_new_tokens, room);
  list_.emplace(logits.size(), options_.history.size() + prompt.size() + max_count_);
  for (const token_id id : options_.history) list_->remember(id);
  for (const token_id id : prompt) list_->remember(id);
  if (options_.log_probabilities || options_.top_log_probabilities > 0) {
    raw_.resize(logits.size());
    top_candidates_.resize(std::min(options_.top_log_probabilities, logits.size()));
    top_.resize(top_candidates_.size());
  }
  if (options_.speculation.draft) {
    fed_.resize(options_.speculation.most_drafts + 1);
    rows_ = buffer<float>(fed_.size() * logits.size());
  }
  prepare(logits);
}

TRANSEPT_FUNCTION std::span<const token_id> generation_state::tokens_to_feed(std::size_t room) {
  fed_[0] = current_.id;
  // A draft whose successor is not wanted is worth nothing.
  const std::size_t wanted = options_.max_new_tokens - count_, most = std::min(room, wanted) - 1;
  const std::size_t count = pace_.wanted(std::min(most, options_.speculation.most_drafts));
  const std::size_t drafted =
      count == 0 ? 0 : options_.speculation.draft(list_->history(), std::span(fed_).subspan(1, count));
  if (drafted > count) throw argument_error("a drafter gave more drafts than there was room for");
  const auto drafts = std::span(fed_).subspan(1, drafted);
  const auto stranger = std::ranges::find_if(drafts, [&](token_id id) { // of a larger vocabulary
    return id < 0 || static_cast<std::size_t>(id) >= list_->vocab_size();
  });
  return std::span(fed_).first(1 + static_cast<std::size_t>(stranger - drafts.begin()));
}

TRANSEPT_FUNCTION std::span<const float> generation_state::fed(std::size_t tokens,
                                                               std::size_t session_length) {
  ahead_.value = tokens - 1;
  behind_drafts_ = session_length;
  row_ = 0;
  speculated_.drafted += ahead_;
  return {rows_.data(), list_->vocab_size()};
}

TRANSEPT_FUNCTION std::span<const float> generation_state::take_draft() {
  ++row_;
  ++speculated_.accepted;
  if (--ahead_.value == 0) pace_.learn(row_, row_);
  return {rows_.data() + row_ * list_->vocab_size(), list_->vocab_size()};
}

TRANSEPT_FUNCTION void generation_state::drafts_are_gone() {
  pace_.learn(row_ + ahead_, row_);
  ahead_.value = 0;
}

TRANSEPT_FUNCTION void generation_state::prepare(std::span<const float> logits) {
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

TRANSEPT_FUNCTION bool generation_state::may_continue(std::size_t room) {
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

TRANSEPT_FUNCTION void generation_state::accept(token_id id) {
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

} // namespace transept::inline TRANSEPT_ABI
