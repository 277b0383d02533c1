// Looking inside a forward pass: an observer is told of intermediate values where they are.
//
// The default, `no_observer`, is told nothing and costs nothing: every call to an observer stands behind
// `if constexpr (observing<Observer>)`. Another observer has these members (see generate/inspection.hpp):
//
//   void hidden_state(std::size_t index, const float* rows, std::size_t count, std::size_t width);
//       index 0: the embeddings; index i: after block i
//   void attention(std::size_t layer, const kernels::attention_problem&, kernels::keys_and_values);
//       the queries of one layer, and the cache that holds their keys; not told of whole sequences, which
//       have no cache
//
// A tape (layers/tape.hpp) is the observer of training: it is told nothing either, but it is where a forward
// pass keeps what its backward pass will need.
#pragma once

#include <concepts>

#include <transept/core/version.hpp>
#include <transept/runtime/workspace.hpp>

namespace transept::inline TRANSEPT_ABI {

/// Is told nothing: the default.
struct no_observer {};

class tape;

/// Intermediate values must outlive the forward pass.
template <class Observer>
inline constexpr bool taping = std::same_as<std::remove_cvref_t<Observer>, tape>;

/// Somebody looks inside.
template <class Observer>
inline constexpr bool observing =
    !std::same_as<std::remove_cvref_t<Observer>, no_observer> && !taping<Observer>;

/// Memory [rows, width] for values that a backward pass reads: the tape's where there is one, else scratch.
template <extent Width, class Observer>
activations<Width> take_kept(workspace::scope& scope, [[maybe_unused]] Observer& observer, extent rows,
                             extent width = Width) {
  if constexpr (taping<Observer>)
    return observer.template keep<Width>(rows, width);
  else
    return scope.take<Width>(rows, width);
}

} // namespace transept::inline TRANSEPT_ABI
