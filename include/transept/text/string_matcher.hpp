// Finds any of several strings in text that comes byte by byte: the automaton of Aho and Corasick, "Efficient
// string matching: an aid to bibliographic search", 1975.
//
// A state is the longest suffix of the text so far that begins one of the strings; its depth is how much of
// the text could still become a match, which is what a stream must hold back.
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

/// The automaton. Where in a text it is, the caller keeps, so one serves any number of texts and threads.
class string_matcher {
public:
  using state = std::uint32_t;                                      ///< what a text has come to
  static constexpr state start = 0;                                 ///< nothing that begins a string
  static constexpr std::size_t none = static_cast<std::size_t>(-1); ///< no string's index

  string_matcher() : string_matcher(std::vector<std::string>{}) {}

  /// Of equal strings the first counts. Throws argument_error if one is empty. Memory and time are linear in
  /// the strings' lengths together.
  explicit string_matcher(const std::vector<std::string>& strings);

  /// The state after one more byte. Amortised over a text, constant time. Allocates nothing.
  state step(state from, char byte) const {
    while (from != start) {
      if (const state next = child(from, byte)) return next;
      from = nodes_[from].shorter;
    }
    return first_[static_cast<unsigned char>(byte)];
  }

  /// How many of the last bytes begin one of the strings (the most there are).
  std::size_t depth(state at) const { return nodes_[at].depth; }

  /// The index of the longest string that ends here, or `none`.
  std::size_t match(state at) const { return nodes_[nodes_[at].ending].string; }

  /// Bytes of the longest string that ends here, 0 if none does.
  std::size_t match_length(state at) const { return nodes_[nodes_[at].ending].depth; }

  /// Whether there is no string to look for.
  bool empty() const { return nodes_.size() == 1; }

private:
  struct node {
    state first_child = 0; // children are a linked list
    state next_sibling = 0;
    state shorter = 0; // the next shorter suffix that begins a string
    state ending = 0;  // this node or the nearest shorter suffix that is a whole string; 0: none
    std::uint32_t depth = 0;
    unsigned char byte = 0;
    std::size_t string = none;
  };

  state child(state of, char byte) const {
    state next = nodes_[of].first_child;
    while (next != 0 && nodes_[next].byte != static_cast<unsigned char>(byte))
      next = nodes_[next].next_sibling;
    return next;
  }

  void add(std::string_view string, std::size_t index);

  /// Fills `shorter` and `ending`, nearest to the start first.
  void link();

  std::vector<node> nodes_;        // nodes_[0] is the start
  std::array<state, 256> first_{}; // the start's children by byte, or 0: back to the start
};

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/text/impl/string_matcher.hpp>
#endif
