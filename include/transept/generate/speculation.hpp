// Speculation (Leviathan et al. 2023, "Fast Inference from Transformers via Speculative Decoding"): somebody
// quick guesses what comes next, and the model looks at several guesses in one pass, which reads its weights
// once. Here the guesses never change a token: each one is still chosen by the sampler from the model's own
// logits, and a guess only saves the pass that would have led there. A pass over a few tokens gives the bits
// that passes over each of them give.
//
//   generate(model, session, prompt, greedy(), {.speculation = {.draft = lookup_drafter()}});
//   generate(model, session, prompt, sampler, {.speculation = {.draft = model_drafter(small, its_session)}});
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/core/types.hpp>

namespace transept::inline TRANSEPT_ABI {

/// Guesses the tokens behind a text: writes at most drafts.size() of them, and returns how many. `text` is
/// all that the generation knows, oldest first: its history, the prompt, what was generated. Whatever it
/// guesses, the text stays the same.
using drafter = std::function<std::size_t(std::span<const token_id> text, std::span<token_id> drafts)>;

/// Drafts of a pass are at most so many: a pass over more rows than these and one is computed in other units.
inline constexpr std::size_t most_drafts_of_a_pass = 14;

/// How a generation speculates.
struct speculation {
  drafter draft = {};          ///< none: it does not
  std::size_t most_drafts = 8; ///< of a pass, from 1 to most_drafts_of_a_pass; how many it is adapts
};

/// What came of it.
struct speculation_counts {
  std::size_t drafted = 0;  ///< tokens that were guessed and looked at
  std::size_t accepted = 0; ///< those that came
};

/// Prompt lookup: what followed the last tokens when they stood in the text before. The longest run of at
/// most `longest` tokens that was there, but of no fewer than `shortest`; of several places the latest. Costs
/// next to nothing, and is right where texts repeat themselves: summaries, code, JSON. A drafter is for one
/// generation at a time. Throws argument_error unless 1 ≤ shortest ≤ longest ≤ 8.
TRANSEPT_FUNCTION drafter lookup_drafter(std::size_t longest = 4, std::size_t shortest = 2);

namespace detail {

/// How many drafts are worth a pass, by what came of those before. A function of counts alone, so that runs
/// can be repeated.
class draft_pace {
public:
  /// After more than `patience` passes in a row of which no draft came there are pauses.
  explicit draft_pace(std::size_t patience = 1) : patience_(patience) {}

  /// How many to ask for now, at most `most`; 0: none, for they were wrong lately.
  std::size_t wanted(std::size_t most);
  /// So many of those that a pass looked at came.
  void learn(std::size_t drafted, std::size_t accepted);

private:
  std::size_t patience_, count_ = 4;
  std::size_t failures_ = 0; ///< passes in a row of which no draft came
  std::size_t rest_ = 0;     ///< passes without drafts to come
};

/// A number of drafts, which whoever was moved from no longer has.
struct draft_count {
  std::size_t value = 0;

  draft_count() = default;
  draft_count(draft_count&& other) noexcept : value(std::exchange(other.value, 0)) {}
  draft_count& operator=(draft_count&& other) noexcept {
    value = std::exchange(other.value, 0);
    return *this;
  }
  operator std::size_t() const { return value; }
};

/// Throws argument_error for options out of range.
TRANSEPT_FUNCTION void check_speculation(const speculation& options);

/// Whether a small model is sure of its likeliest token; which that is goes to `likeliest`.
TRANSEPT_FUNCTION bool is_sure(std::span<const float> logits, float least_probability, token_id& likeliest);

} // namespace detail

/// A small model of the same vocabulary guesses, as long as it is sure: as long as its likeliest token has
/// `least_probability`. Where it was not sure several times it is left alone for a while. Both must outlive
/// the drafter; nothing else may use the session meanwhile. What does not fit the session is not guessed. For
/// a quantized copy of the model itself, too.
template <class Model, class Session>
drafter model_drafter(const Model& model, Session& session, float least_probability = 0.4f) {
  const auto fed = std::make_shared<std::vector<token_id>>(); // what the session holds
  reset(session);
  return [&model, &session, least_probability, fed, pace = detail::draft_pace(4)](
             std::span<const token_id> text, std::span<token_id> drafts) mutable -> std::size_t {
    if (pace.wanted(1) == 0) return 0;
    if (text.empty() || drafts.empty() || text.size() > static_cast<std::size_t>(session.capacity()))
      return 0;
    const auto both = std::min(fed->size(), text.size() - 1); // the last token is fed in any case
    const auto common = static_cast<std::size_t>(
        std::mismatch(fed->begin(), fed->begin() + static_cast<std::ptrdiff_t>(both), text.begin()).first -
        fed->begin());
    truncate(session, common);
    fed->resize(common);
    std::span<const float> logits = forward(model, session, text.subspan(common));
    fed->assign(text.begin(), text.end());
    for (std::size_t count = 0;; ++count) {
      token_id next = 0;
      if (!detail::is_sure(logits, least_probability, next)) {
        pace.learn(1, count == 0 ? 0 : 1);
        return count;
      }
      drafts[count] = next;
      if (count + 1 == drafts.size() || fed->size() == static_cast<std::size_t>(session.capacity())) {
        pace.learn(1, 1);
        return count + 1;
      }
      logits = forward(model, session, std::span<const token_id>(&drafts[count], 1));
      fed->push_back(next);
    }
  };
}

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/generate/impl/speculation.hpp>
#endif
