// Byte-pair encoding (Sennrich et al., "Neural machine translation of rare words with subword units", 2016;
// over bytes: Radford et al., 2019).
//
// A piece begins as one token per byte. As long as two neighbours can be merged, the pair whose merge was
// learned first (the leftmost of equals) becomes one token. GPT-2's encoder merges all equal pairs before it
// looks again: the same thing wherever a merge's parts were learned before it and each token by one merge,
// as training makes them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include <transept/core/types.hpp>

namespace transept::inline TRANSEPT_ABI {

/// Two neighbours and the token they become.
struct token_merge {
  token_id left;   ///< the first of the two
  token_id right;  ///< the second
  token_id merged; ///< the bytes of both
  /// How early it was learned, where several are as early: of these the leftmost is merged first. -1: as
  /// early as its place in the list says.
  std::int32_t rank = -1;
};

/// Immutable once made; `encode` may be called from any number of threads.
class byte_pairs {
public:
  static constexpr std::size_t short_piece = 32; ///< symbols in a piece that is quickly merged

  byte_pairs() = default;

  /// `byte_tokens[b]` is the token of byte b, or -1, which then comes out; `merges` come in the order they
  /// were learned, no pair twice.
  byte_pairs(const std::array<token_id, 256>& byte_tokens, std::span<const token_merge> merges);

  /// Appends the tokens of `piece`, any bytes, to `out`. Time is linear for short pieces and n·log n in the
  /// length of long ones.
  void encode(std::string_view piece, std::vector<token_id>& out) const;

  /// The same of tokens that no merges have met yet.
  void merge(std::span<const token_id> symbols, std::vector<token_id>& out) const;

private:
  static constexpr std::uint32_t no_rank = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::uint64_t no_key = std::numeric_limits<std::uint64_t>::max();

  /// What a pair of tokens becomes, and how early that was learned. `no_rank`: the pair stays.
  struct slot {
    std::uint64_t key = no_key;
    std::uint32_t rank = no_rank;
    token_id merged = 0;
  };

  static std::uint64_t key_of(token_id left, token_id right) {
    return std::uint64_t{static_cast<std::uint32_t>(left)} << 32 | static_cast<std::uint32_t>(right);
  }

  /// Open addressing, at most half full: the slot of `key`, or the free one it would take.
  std::size_t find(std::uint64_t key) const;

  const slot& pair(token_id left, token_id right) const { return slots_[find(key_of(left, right))]; }

  token_id token_of(char byte) const { return byte_tokens_[static_cast<unsigned char>(byte)]; }

  /// Everything in two small arrays on the stack, of which `tokens` is one; the best pair is found by looking
  /// at all.
  void merge_short(token_id* tokens, std::size_t count, std::vector<token_id>& out) const;

  /// A piece that is a few runs of equal tokens, such as many spaces before a word, run by run. False where
  /// it is not, or where merges do not come in their order.
  bool merge_runs(std::span<const token_id> symbols, std::vector<token_id>& out) const;

  /// A doubly linked list of tokens, and a queue of the pairs that can be merged.
  void merge_long(std::span<const token_id> symbols, std::vector<token_id>& out) const;

  std::array<token_id, 256> byte_tokens_{};
  std::vector<slot> slots_ = std::vector<slot>(1);
  std::size_t mask_ = 0;
};

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/text/impl/byte_pairs.hpp>
#endif
