// Which keys a query sees: attention's mask, as a range of positions.
//
//   causal                    … ≤ its own (Vaswani et al. 2017, a decoder's)
//   everything                all (an encoder's; cross-attention)
//   sliding_window(n)         its own and the n − 1 before it (Beltagy et al. 2020; Mistral, Gemma 2)
//   prefix_then_causal(n)     the first n positions, and those up to its own (Raffel et al. 2020)
//
// Every query must see some key. A range suffices for all of these, so that no mask is ever stored, and tiles
// of keys that no query sees are not touched.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>

#include <transept/core/version.hpp>

namespace transept::inline TRANSEPT_ABI {

/// Keys [begin, end).
struct key_range {
  std::size_t begin, end;

  friend bool operator==(const key_range&, const key_range&) = default;
};

/// As a number of positions: however many there are.
inline constexpr std::size_t all_positions = std::numeric_limits<std::size_t>::max();

/// A query sees the keys from `before` positions before its own to `after` positions behind it, and what lies
/// between these and the end of a prefix of `prefix` positions.
struct visibility {
  std::size_t before = all_positions;
  std::size_t after = 0;
  std::size_t prefix = 0;

  /// Of the query at `position`, where there are `length` keys; begin ≤ end ≤ length.
  constexpr key_range keys_of(std::size_t position, std::size_t length) const {
    const std::size_t reach = after < all_positions - position ? position + 1 + after : all_positions;
    const std::size_t end = std::min(length, std::max(reach, prefix));
    return {std::min(position > before ? position - before : 0, end), end};
  }

  friend bool operator==(const visibility&, const visibility&) = default;
};

inline constexpr visibility causal{};
inline constexpr visibility everything{.before = all_positions, .after = all_positions, .prefix = 0};

/// Its own position and the n − 1 before it (n ≥ 1). Mistral 7B has n = 4096, GPT-3's banded layers 128.
constexpr visibility sliding_window(std::size_t n) { return {.before = n - 1, .after = 0, .prefix = 0}; }

/// The first `prefix` positions see each other, the others what came before them. A prompt's prefix must be
/// fed whole: a query sees no more of it than is there.
constexpr visibility prefix_then_causal(std::size_t prefix) {
  return {.before = all_positions, .after = 0, .prefix = prefix};
}

} // namespace transept::inline TRANSEPT_ABI
