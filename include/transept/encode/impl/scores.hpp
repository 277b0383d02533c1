// How labels are counted (encode/scores.hpp).
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/core/function_ref.hpp>
#include <transept/encode/scores.hpp>
#include <transept/encode/text_tasks.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

inline void check_label_counts(std::size_t found, std::size_t expected) {
  if (found != expected)
    throw argument_error(std::to_string(found) + " labels were found where " + std::to_string(expected) +
                         " were expected");
}

inline std::vector<tagged_entity> entities_of(std::span<const int> of_words,
                                              std::span<const std::string> labels,
                                              function_ref<bool(std::size_t)> counts) {
  std::vector<tagged_word> words;
  for (std::size_t i = 0; i < of_words.size(); ++i)
    if (counts(i)) words.push_back({{i, i + 1}, static_cast<std::size_t>(of_words[i]), 1.0f});
  return find_entities(words, labels);
}

} // namespace detail

TRANSEPT_FUNCTION double accuracy(std::span<const int> found, std::span<const int> expected) {
  detail::check_label_counts(found.size(), expected.size());
  std::size_t right = 0, counted = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (expected[i] < 0) continue;
    ++counted;
    right += found[i] == expected[i];
  }
  return counted == 0 ? 0.0 : static_cast<double>(right) / static_cast<double>(counted);
}

TRANSEPT_FUNCTION void count_entities(label_score& score, std::span<const int> found,
                                      std::span<const int> expected, std::span<const std::string> labels) {
  detail::check_label_counts(found.size(), expected.size());
  const auto counts = [&](std::size_t word) { return expected[word] >= 0; };
  const auto some = detail::entities_of(found, labels, counts);
  const auto all = detail::entities_of(expected, labels, counts);
  score.found += some.size();
  score.expected += all.size();
  score.right += static_cast<std::size_t>(std::ranges::count_if(some, [&](const tagged_entity& each) {
    return std::ranges::any_of(all, [&](const tagged_entity& other) {
      return each.span == other.span && each.label == other.label;
    });
  }));
}

} // namespace transept::inline TRANSEPT_ABI
