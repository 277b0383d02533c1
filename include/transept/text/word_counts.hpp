// How often each piece of GPT-2's pattern occurs in texts: what a vocabulary is learned from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include <transept/core/version.hpp>

namespace transept::inline TRANSEPT_ABI {

/// Counts of distinct words, any bytes. Memory grows with the distinct words, not with the texts. One thread
/// at a time; count parts of a text in several and put them together with `add(word_counts)`.
class word_counts {
public:
  /// Counts the pieces (pre_tokenize.hpp) of a text of its own: no piece goes on in the next.
  void add(std::string_view text);

  /// Counts `word`, which is not taken apart, `count` times.
  void add(std::string_view word, std::uint64_t count);

  /// Adds the counts of others.
  void add(const word_counts& other);

  /// How many different words there are.
  std::size_t size() const { return words_.size(); }
  /// How many words were counted.
  std::uint64_t total() const { return total_; }

  /// Word i, in the order they were first seen; valid until the next `add`.
  std::string_view word(std::size_t i) const { return {bytes_.data() + words_[i].begin, words_[i].length}; }
  std::uint64_t count(std::size_t i) const { return words_[i].count; } ///< how often word i was counted

private:
  static constexpr std::size_t free = std::numeric_limits<std::size_t>::max();

  struct counted {
    std::uint64_t hash;
    std::size_t begin, length; // in bytes_
    std::uint64_t count;
  };

  /// Open addressing, at most half full: the slot of `word`, or the free one it would take.
  std::size_t find(std::string_view wanted, std::uint64_t hash) const;

  void grow();

  std::vector<counted> words_;
  std::vector<char> bytes_;
  std::vector<std::size_t> slots_ = std::vector<std::size_t>(1024, free);
  std::uint64_t total_ = 0;
};

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/text/impl/word_counts.hpp>
#endif
