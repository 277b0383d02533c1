// How well texts and words are labelled: accuracy, and F1 of entities as seqeval counts them.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include <transept/core/error.hpp>

namespace transept::inline TRANSEPT_ABI {

/// Counts of what was found and what was there, and what follows from them.
struct label_score {
  std::size_t right = 0;    ///< found, and there
  std::size_t found = 0;    ///< said to be there
  std::size_t expected = 0; ///< there

  /// Of what was found, the share that was there.
  double precision() const {
    return found == 0 ? 0.0 : static_cast<double>(right) / static_cast<double>(found);
  }
  /// Of what was there, the share that was found.
  double recall() const {
    return expected == 0 ? 0.0 : static_cast<double>(right) / static_cast<double>(expected);
  }
  /// The harmonic mean of both.
  double f1() const { return right == 0 ? 0.0 : 2 * precision() * recall() / (precision() + recall()); }
};

/// The share of labels that are equal; those whose expected label is negative do not count. 0 where none
/// does. Throws argument_error for lists of different lengths.
TRANSEPT_FUNCTION double accuracy(std::span<const int> found, std::span<const int> expected);

/// Adds the entities of one text to a score: labels of its words, as indices of `labels` (find_entities). An
/// entity is right where its kind and both its ends are; words whose expected label is negative do not count.
/// Throws argument_error for lists of different lengths, and for other indices that are none of `labels`.
TRANSEPT_FUNCTION void count_entities(label_score& score, std::span<const int> found,
                                      std::span<const int> expected, std::span<const std::string> labels);

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/encode/impl/scores.hpp>
#endif
