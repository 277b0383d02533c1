// Segmenting by a unigram model as the definition says it: every way of putting the text together is tried.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <transept/core/types.hpp>
#include <transept/text/unicode.hpp>

namespace reference {

/// A way through a text, and the sum of its scores. Unknown characters are -1.
using segmentation = std::pair<double, std::vector<transept::token_id>>;

/// The best way; of equals any. `pieces` are tokens and their scores.
inline segmentation best_segmentation(
    const std::map<std::string, std::pair<transept::token_id, double>>& pieces, double unknown_score,
    std::string_view text) {
  if (text.empty()) return {0, {}};
  std::optional<segmentation> best;
  const auto consider = [&](double score, transept::token_id token, std::size_t length) {
    segmentation rest = best_segmentation(pieces, unknown_score, text.substr(length));
    rest.first += score;
    rest.second.insert(rest.second.begin(), token);
    if (!best || rest.first > best->first) best = std::move(rest);
  };
  for (const auto& [piece, token] : pieces)
    if (text.starts_with(piece)) consider(token.second, token.first, piece.size());
  const std::size_t one = transept::first_character(text).length;
  if (!pieces.contains(std::string(text.substr(0, one)))) consider(unknown_score, -1, one);
  return *best;
}

} // namespace reference
