// How texts are looked through, and how many drafts are worth a pass (generate/speculation.hpp).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/generate/speculation.hpp>
#include <transept/kernels/softmax.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

/// Where runs of tokens stood last. Tables of a fixed size that forget: a place that another run takes is
/// overwritten, and what is found is compared with the text.
class run_places {
public:
  run_places(std::size_t longest, std::size_t shortest)
      : longest_(longest), shortest_(shortest), places_((longest - shortest + 1) * slots) {}

  std::size_t operator()(std::span<const token_id> text, std::span<token_id> drafts) {
    if (text.size() < seen_ || (seen_ > 0 && text[seen_ - 1] != last_)) { // another text
      std::ranges::fill(places_, 0u);
      seen_ = 0;
    }
    // Runs that end before the last token: it is what they led to.
    for (std::size_t end = std::max(seen_, std::size_t{1}); end < text.size(); ++end)
      for (std::size_t length = shortest_; length <= std::min(longest_, end); ++length)
        slot(text.subspan(end - length, length)) = static_cast<std::uint32_t>(end);
    seen_ = text.size();
    if (seen_ > 0) last_ = text[seen_ - 1];
    for (std::size_t length = std::min(longest_, text.size()); length >= shortest_; --length) {
      const auto run = text.last(length);
      const std::size_t behind = slot(run);
      if (behind < length || !std::ranges::equal(run, text.subspan(behind - length, length))) continue;
      const std::size_t count = std::min(drafts.size(), text.size() - behind);
      std::ranges::copy(text.subspan(behind, count), drafts.begin());
      return count;
    }
    return 0;
  }

private:
  static constexpr std::size_t slots = std::size_t{1} << 14; // for each length

  std::uint32_t& slot(std::span<const token_id> run) {
    std::uint64_t hash = 0x9e3779b97f4a7c15;
    for (const token_id id : run) hash = (hash ^ static_cast<std::uint32_t>(id)) * 0xff51afd7ed558ccd;
    return places_[(run.size() - shortest_) * slots + static_cast<std::size_t>(hash >> 50)];
  }

  std::size_t longest_, shortest_, seen_ = 0;
  token_id last_ = 0;
  std::vector<std::uint32_t> places_; // behind a run; 0: none
};

TRANSEPT_FUNCTION std::size_t draft_pace::wanted(std::size_t most) {
  if (rest_ > 0) {
    --rest_;
    return 0;
  }
  return std::min(count_, most);
}

TRANSEPT_FUNCTION void draft_pace::learn(std::size_t drafted, std::size_t accepted) {
  constexpr std::size_t most_rest = 5; // as a power of 2
  if (accepted == drafted)
    count_ = std::min(count_ + 2, most_drafts_of_a_pass);
  else
    count_ = std::max<std::size_t>(accepted + 1, 2);
  failures_ = accepted > 0 ? 0 : failures_ + 1;
  if (failures_ > patience_) rest_ = std::size_t{1} << std::min(failures_ - patience_ + 1, most_rest);
}

TRANSEPT_FUNCTION void check_speculation(const speculation& options) {
  if (options.draft && (options.most_drafts < 1 || options.most_drafts > most_drafts_of_a_pass))
    throw argument_error("speculation: most_drafts must be from 1 to " +
                         std::to_string(most_drafts_of_a_pass) + "; got " +
                         std::to_string(options.most_drafts));
}

TRANSEPT_FUNCTION bool is_sure(std::span<const float> logits, float least_probability, token_id& likeliest) {
  const auto greatest = std::ranges::max_element(logits);
  likeliest = static_cast<token_id>(greatest - logits.begin());
  return std::exp(double{*greatest} - kernels::log_sum_exp(logits.data(), logits.size())) >=
         double{least_probability};
}

} // namespace detail

TRANSEPT_FUNCTION drafter lookup_drafter(std::size_t longest, std::size_t shortest) {
  if (shortest < 1 || shortest > longest || longest > 8)
    throw argument_error("lookup_drafter looks for runs of 1 to 8 tokens; got " + std::to_string(shortest) +
                         " to " + std::to_string(longest));
  return detail::run_places(longest, shortest);
}

} // namespace transept::inline TRANSEPT_ABI
