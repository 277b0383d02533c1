// Finds all strings of a set that a text goes on with: a trie (Fredkin, "Trie memory", 1960) whose nodes lie
// level by level, so that a node's children are neighbours.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/core/version.hpp>

namespace transept::inline TRANSEPT_ABI {

/// Immutable once made; any number of threads may use it.
class piece_trie {
public:
  static constexpr std::uint32_t none = static_cast<std::uint32_t>(-1); ///< no node, no string

  /// Of no strings.
  piece_trie() : piece_trie(std::vector<std::string_view>{}) {}

  /// Of equal strings the first counts; empty ones are never found. Time is that of sorting the strings.
  explicit piece_trie(const std::vector<std::string_view>& strings);

  /// The node of what `from` stands for and one more byte, or `none`. `root` stands for nothing.
  std::uint32_t step(std::uint32_t from, char byte) const {
    if (from == root) return first_[static_cast<unsigned char>(byte)];
    const std::uint32_t begin = nodes_[from].children, end = nodes_[from + 1].children;
    if (end - begin > 8) return step_far(begin, end, byte);
    for (std::uint32_t at = begin; at < end; ++at)
      if (bytes_[at] == byte) return at;
    return none;
  }

  /// The index of the string that a node stands for, or `none`.
  std::uint32_t string_at(std::uint32_t node) const { return nodes_[node].string; }

  /// What longest() finds.
  struct found {
    std::uint32_t string; ///< its index, or `none`
    std::size_t length;   ///< its length, or 0
  };

  /// The longest string that `text` begins with.
  found longest(std::string_view text) const;

  static constexpr std::uint32_t root = 0; ///< where every walk begins

private:
  struct trie_node {
    std::uint32_t children; // the first one; the last is before the next node's first
    std::uint32_t string;
  };

  std::uint32_t step_far(std::uint32_t begin, std::uint32_t end, char byte) const;

  std::vector<trie_node> nodes_; // and one behind them
  std::vector<char> bytes_;      // that lead to each node
  std::array<std::uint32_t, 256> first_{};
};

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/text/impl/piece_trie.hpp>
#endif
