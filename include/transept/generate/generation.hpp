// Generation as a range: `for (auto token : generate(model, session, prompt, sampler)) …`, and with a
// callback.
//
// A step (the model over one token, then the sampler) runs when its element, or whether there is one, is
// asked for, and not before: `++` only says that the next element will be another. So `| views::take(3)`
// costs the prompt and two steps. Once the range is made, stepping allocates nothing.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <functional>
#include <iterator>
#include <optional>
#include <ranges>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/core/types.hpp>
#include <transept/generate/generation_options.hpp>
#include <transept/generate/generation_state.hpp>
#include <transept/generate/sampling.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A session that knows how many tokens it holds and how many it can hold.
template <class Session>
concept generation_session = requires(const Session& session) {
  { session.length() } -> std::integral;
  { session.capacity() } -> std::integral;
};

/// A model that `forward(model, session, tokens)`, found by argument-dependent lookup, runs over tokens: it
/// appends them to the session and returns the logits of the last position, valid until the next call.
template <class Model, class Session>
concept language_model_for = generation_session<Session> &&
    requires(const Model& model, Session& session, std::span<const token_id> tokens) {
  { forward(model, session, tokens) } -> std::convertible_to<std::span<const float>>;
};

namespace detail {

/// One whose passes may take guesses along.
template <class Model, class Session>
concept speculating_model_for = requires(const Model& model, Session& session,
                                         std::span<const token_id> tokens,
                                         matrix_view<float, dyn, dyn> logits) {
  forward(model, session, tokens, logits);
  truncate(session, tokens.size());
};

/// Assignable even where T is not (a lambda with captures), so that a range of it is a view.
template <class T>
class assignable {
public:
  explicit assignable(T value) : value_(std::move(value)) {}
  assignable(assignable&&) = default;
  assignable& operator=(assignable&& other) {
    if (this != &other) value_.emplace(std::move(*other.value_));
    return *this;
  }
  T& operator*() { return *value_; }

private:
  std::optional<T> value_;
};

/// The model's end-of-text tokens, where it names any.
template <class Model>
std::span<const token_id> eos_token_ids(const Model& model) {
  if constexpr (requires { std::span<const token_id>(model.settings.eos_token_ids); })
    return std::span<const token_id>(model.settings.eos_token_ids);
  else
    return {};
}

} // namespace detail

/// What `generate` returns: a move-only view, an input range of generated_token. It refers to the model and
/// the session, which must outlive it; nothing else may use the session meanwhile. (With speculation the
/// session holds guesses, too, until the range has ended or is gone.) A variable goes through
/// range adaptors by `std::ranges::ref_view(tokens) | …`, as every move-only view, and can then still be
/// asked for its finish_reason().
template <class Model, class Session, class Sampler>
class generation : public std::ranges::view_base, public generation_state {
public:
  /// Where the generation is. All iterators of a generation are at the same place.
  class iterator {
  public:
    using value_type = generated_token;               ///< a step's outcome
    using difference_type = std::ptrdiff_t;           ///< for the concept alone
    using iterator_concept = std::input_iterator_tag; ///< one pass, forwards

    iterator() = default;
    /// The token, valid until the next step. Runs its step, where that has not run, and throws as it does.
    const generated_token& operator*() const {
      parent_->make_due();
      return parent_->current_;
    }
    const generated_token* operator->() const { return &**this; } ///< as * does
    /// The next element is wanted. Runs the step of this one only where nobody has asked for it.
    iterator& operator++() {
      parent_->make_due(); // an element passed over unread is still a step
      parent_->due_ = true;
      return *this;
    }
    void operator++(int) { ++*this; } ///< the same
    /// Whether the generation has ended. Runs the step that tells, and throws as it does.
    friend bool operator==(const iterator& at, std::default_sentinel_t) { return at.at_end(); }

  private:
    friend generation;
    explicit iterator(generation& parent) : parent_(&parent) {}
    bool at_end() const {
      parent_->make_due();
      return parent_->reason_ != transept::finish_reason::running;
    }
    generation* parent_ = nullptr;
  };

  /// Runs the prompt. Throws as `generate` does.
  generation(const Model& model, Session& session, std::span<const token_id> prompt, Sampler sampler,
             generation_options options)
      : generation_state(std::move(options), detail::eos_token_ids(model)),
        model_(&model),
        session_(&session),
        sampler_(std::move(sampler)) {
    if (!speculates && options_.speculation.draft)
      throw argument_error("speculation needs a model that gives the logits of several tokens, and a session "
                           "that forgets some: forward(model, session, tokens, logits), truncate(session, "
                           "length)");
    if (prompt.empty())
      throw argument_error(
          "the prompt is empty: generation needs a token to start from, for free running the "
          "model's end-of-text token");
    const std::span<const float> logits = forward(model, session, prompt);
    generation_state::start(prompt, logits, room() + 1); // the last token need not fit
  }

  generation(generation&&) = default; ///< iterators of the other are no longer valid
  /// Iterators of both are no longer valid.
  generation& operator=(generation&& other) {
    if (this == &other) return *this;
    forget_drafts();
    generation_state::operator=(std::move(other));
    model_ = other.model_;
    session_ = other.session_;
    sampler_ = std::move(other.sampler_);
    return *this;
  }
  /// The session holds what was yielded, but for the pending token, and nothing that was only guessed.
  ~generation() { forget_drafts(); }

  iterator begin() { return iterator(*this); }       ///< where the generation is; it does not begin again
  std::default_sentinel_t end() const { return {}; } ///< equal to an iterator once the generation has ended

private:
  static constexpr bool speculates = detail::speculating_model_for<Model, Session>;

  /// Tokens of the session that are certain.
  std::size_t length() const {
    const auto length = static_cast<std::size_t>(session_->length());
    return length - std::min<std::size_t>(ahead_, length);
  }

  std::size_t room() const {
    const auto capacity = static_cast<std::size_t>(session_->capacity());
    return capacity > length() ? capacity - length() : 0;
  }

  void forget_drafts() {
    if constexpr (speculates)
      if (ahead_ > 0) {
        // Unless somebody else has used the session since the loop was left.
        if (static_cast<std::size_t>(session_->length()) == behind_drafts_) truncate(*session_, length());
        drafts_are_gone();
      }
  }

  /// The logits behind the current token.
  std::span<const float> next_logits() {
    const std::span<const token_id> one(&current_.id, 1);
    if constexpr (speculates) {
      if (options_.speculation.draft) {
        if (current_is_drafted()) return take_draft();
        forget_drafts();
        const std::span<const token_id> tokens = tokens_to_feed(room());
        if (tokens.size() > 1) {
          forward(*model_, *session_, tokens, room_for_logits(tokens.size()));
          return fed(tokens.size(), static_cast<std::size_t>(session_->length()));
        }
      }
    }
    return forward(*model_, *session_, one);
  }

  void make_due() {
    if (!due_) return;
    if (reason_ == transept::finish_reason::running && may_continue(room())) {
      reason_ = transept::finish_reason::error; // unless the step succeeds
      if (unfed_) prepare(next_logits());
      accept(std::invoke(*sampler_, *list_));
    }
    if (reason_ != transept::finish_reason::running) forget_drafts();
    due_ = false;
  }

  const Model* model_;
  Session* session_;
  detail::assignable<Sampler> sampler_;
};

namespace detail {

template <class Model, class Session, class Sampler>
constexpr void check_generate_arguments() {
  static_assert(std::is_lvalue_reference_v<Model>,
                "generate keeps a reference to the model: pass a variable, not a temporary");
  static_assert(
      std::is_lvalue_reference_v<Session> && !std::is_const_v<std::remove_reference_t<Session>>,
      "generate keeps a reference to the session and changes it: pass a variable that is not const, "
      "not a temporary");
  static_assert(generation_session<std::remove_cvref_t<Session>>,
                "generate needs a session with length() and capacity(), in tokens");
  static_assert(
      language_model_for<std::remove_cvref_t<Model>, std::remove_cvref_t<Session>>,
      "generate needs forward(model, session, std::span<const token_id>), in the namespace of the model "
      "or the session, that returns the logits of the last position as std::span<const float>");
  static_assert(!logit_filter<Sampler>,
                "the sampler has filters but no final choice: end it with | greedy() or | draw(seed)");
  static_assert(sampler<Sampler> || logit_filter<Sampler>,
                "a sampler must be callable as token_id(candidates&): for example greedy(), or "
                "temperature(0.8) | draw(seed)");
}

} // namespace detail

/// Runs `prompt` through the model, then yields tokens chosen by `sampler`, one step each, as a range. The
/// prompt is not needed afterwards; model and session must outlive the range. After its end
/// `.finish_reason()` says why.
///
/// Throws argument_error for an empty prompt or contradictory options, numeric_error for logits no token can
/// be chosen from (here, or from a later step), and what `forward` throws: argument_error for ids out of
/// range, context_error for a prompt that does not fit the session.
template <class Model, class Session, class Sampler>
[[nodiscard]] auto generate(Model&& model, Session&& session, std::span<const token_id> prompt,
                            Sampler sampler, generation_options options = {}) {
  detail::check_generate_arguments<Model, Session, Sampler>();
  return generation<std::remove_cvref_t<Model>, std::remove_cvref_t<Session>, Sampler>(
      model, session, prompt, std::move(sampler), std::move(options));
}

/// The same with a callback: `callback(token)` is called with each generated_token as it comes; where it
/// returns a bool, false ends the generation.
template <class Model, class Session, class Sampler, class Callback>
requires std::invocable<Callback&, const generated_token&> generation_result
generate(Model&& model, Session&& session, std::span<const token_id> prompt, Sampler sampler,
         generation_options options, Callback&& callback) {
  auto tokens = transept::generate(std::forward<Model>(model), std::forward<Session>(session), prompt,
                                   std::move(sampler), std::move(options));
  generation_result result;
  result.ids.reserve(tokens.max_count());
  for (const generated_token& token : tokens) {
    result.ids.push_back(token.id);
    if constexpr (std::is_void_v<std::invoke_result_t<Callback&, const generated_token&>>) {
      std::invoke(callback, token);
    } else if (!std::invoke(callback, token)) {
      result.finish_reason = finish_reason::callback;
      break;
    }
  }
  if (result.finish_reason == finish_reason::running) result.finish_reason = tokens.finish_reason();
  result.pending = tokens.pending();
  result.speculated = tokens.speculated();
  return result;
}

} // namespace transept::inline TRANSEPT_ABI
