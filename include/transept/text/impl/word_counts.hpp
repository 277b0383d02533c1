// How words are counted (text/word_counts.hpp).
#pragma once

#include <functional>

#include <transept/text/pre_tokenize.hpp>
#include <transept/text/word_counts.hpp>

namespace transept::inline TRANSEPT_ABI {

inline std::size_t word_counts::find(std::string_view wanted, std::uint64_t hash) const {
  std::size_t at = static_cast<std::size_t>(hash) & (slots_.size() - 1);
  while (slots_[at] != free && !(words_[slots_[at]].hash == hash && word(slots_[at]) == wanted))
    at = (at + 1) & (slots_.size() - 1);
  return at;
}

TRANSEPT_FUNCTION void word_counts::add(std::string_view text) {
  pre_tokenize(text, [&](std::string_view word) { add(word, 1); });
}

TRANSEPT_FUNCTION void word_counts::add(std::string_view word, std::uint64_t count) {
  if (2 * (words_.size() + 1) > slots_.size()) grow();
  const std::uint64_t hash = std::hash<std::string_view>{}(word);
  std::size_t& place = slots_[find(word, hash)];
  if (place == free) {
    place = words_.size();
    words_.push_back({hash, bytes_.size(), word.size(), 0});
    bytes_.insert(bytes_.end(), word.begin(), word.end());
  }
  words_[place].count += count;
  total_ += count;
}

TRANSEPT_FUNCTION void word_counts::add(const word_counts& other) {
  for (std::size_t i = 0; i < other.size(); ++i) add(other.word(i), other.count(i));
}

TRANSEPT_FUNCTION void word_counts::grow() {
  slots_.assign(2 * slots_.size(), free);
  for (std::size_t i = 0; i < words_.size(); ++i) slots_[find(word(i), words_[i].hash)] = i;
}

} // namespace transept::inline TRANSEPT_ABI
