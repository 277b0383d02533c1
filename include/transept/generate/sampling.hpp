// Samplers: small function objects that choose the next token, composed with `|`:
//
//   auto sampler = repetition_penalty(1.1) | temperature(0.8) | top_k(40) | top_p(0.95) | draw(seed);
//   auto likeliest = greedy();
//
// Any number of filters (filters.hpp, or your own), then one final choice: greedy() or draw(seed), or your
// own. A filter is anything callable as void(candidates&); a sampler is anything callable as
// token_id(candidates&): a lambda, a std::function where the choice is made at run time, or std::ref(sampler)
// to keep one sampler's random state over several generations. In `a | b` one of the two must be of this
// library, for its operator to be found.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <type_traits>
#include <utility>

#include <transept/core/random.hpp>
#include <transept/core/types.hpp>
#include <transept/generate/candidates.hpp>
#include <transept/generate/filters.hpp>

namespace transept::inline TRANSEPT_ABI {

/// Changes or drops candidates: void(candidates&).
template <class F>
concept logit_filter =
    std::invocable<F&, candidates&> && std::is_void_v<std::invoke_result_t<F&, candidates&>>;

/// Chooses a candidate: token_id(candidates&).
template <class F>
concept sampler = std::invocable<F&, candidates&> &&
    std::same_as<std::remove_cvref_t<std::invoke_result_t<F&, candidates&>>, token_id>;

/// Always the greatest logit; of equal ones the lowest id.
class greedy {
public:
  /// Throws as candidates::likeliest.
  token_id operator()(candidates& list) const { return list.likeliest(); }
};

/// A token at random, each with its softmax probability. The same seed gives the same choices.
class draw {
public:
  /// One of the 2⁶⁴ independent streams of random numbers that a seed has.
  explicit draw(std::uint64_t seed, std::uint64_t stream = 0) : random_(seed, stream) {}

  /// Throws as candidates::greatest_logit.
  token_id operator()(candidates& list);

private:
  random_stream random_;
};

/// Takes part in `|`: callable with candidates&, returning nothing or a number. (A range adaptor is callable
/// too, but returns a range: it keeps its own `|`.)
template <class F>
concept sampling_stage = std::invocable<F&, candidates&> &&
    (std::is_void_v<std::invoke_result_t<F&, candidates&>> ||
     std::is_arithmetic_v<std::remove_cvref_t<std::invoke_result_t<F&, candidates&>>>);

/// `First`, then `Then`: a filter or a sampler as `Then` is one.
template <class First, class Then>
class chain {
public:
  /// Copies of both.
  constexpr chain(First first, Then then) : first_(std::move(first)), then_(std::move(then)) {}

  /// Runs one, then the other, and returns what that does: nothing, or a token.
  auto operator()(candidates& list) {
    std::invoke(first_, list);
    return std::invoke(then_, list);
  }

private:
  [[no_unique_address]] First first_;
  [[no_unique_address]] Then then_;
};

/// Composes a filter with what follows it.
template <class First, class Then>
requires sampling_stage<std::decay_t<First>> && sampling_stage<std::decay_t<Then>>
constexpr auto operator|(First&& first, Then&& then) {
  static_assert(!sampler<std::decay_t<First>>,
                "nothing can follow greedy(), draw() or another final choice: put the filters before it");
  static_assert(logit_filter<std::decay_t<First>>, "a logit filter must be callable as void(candidates&)");
  static_assert(logit_filter<std::decay_t<Then>> || sampler<std::decay_t<Then>>,
                "what follows a filter must be callable as void(candidates&), a filter, or as "
                "token_id(candidates&), a final choice");
  return chain<std::decay_t<First>, std::decay_t<Then>>(std::forward<First>(first), std::forward<Then>(then));
}

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/generate/impl/sampling.hpp>
#endif
