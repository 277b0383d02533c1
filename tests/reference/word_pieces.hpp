// WordPiece as the definition says it: the longest token first, one shorter, and so on.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include <transept/core/types.hpp>

namespace reference {

/// The tokens of a word of ASCII; none where it is unknown. `tokens` are as vocabularies write them, with
/// "##".
inline std::vector<transept::token_id> word_pieces(const std::map<std::string, transept::token_id>& tokens,
                                                   const std::string& word) {
  std::vector<transept::token_id> ids;
  for (std::size_t at = 0; at < word.size();) {
    std::size_t length = word.size() - at;
    const auto token = [&] { return (at == 0 ? "" : "##") + word.substr(at, length); };
    while (length != 0 && !tokens.contains(token())) --length;
    if (length == 0) return {};
    ids.push_back(tokens.at(token()));
    at += length;
  }
  return ids;
}

} // namespace reference
