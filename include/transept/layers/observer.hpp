// Looking inside a forward pass: an observer is told of intermediate values where they are.
//
// The default, `no_observer`, is told nothing and costs nothing: every call to an observer stands behind
// `if constexpr (observing<Observer>)`. Another observer has these members (see generate/inspection.hpp):
//
//   void hidden_state(std::size_t index, const float* rows, std::size_t count, std::size_t width);
//       index 0: the embeddings; index i: after block i
//   void attention(std::size_t layer, const kernels::attention_problem&, kernels::keys_and_values);
//       the queries of one layer, and the cache that holds their keys
#pragma once

#include <concepts>

#include <transept/core/version.hpp>

namespace transept::inline TRANSEPT_ABI {

struct no_observer {};

template <class Observer>
inline constexpr bool observing = !std::same_as<std::remove_cvref_t<Observer>, no_observer>;

} // namespace transept::inline TRANSEPT_ABI
