// How words become pieces (text/word_pieces.hpp).
#pragma once

#include <transept/text/unicode.hpp>
#include <transept/text/word_pieces.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION word_pieces::table::table(std::span<const scored_piece> pieces) {
  std::vector<std::string_view> texts;
  for (const scored_piece& each : pieces) {
    texts.push_back(each.text);
    tokens.push_back(each.token);
  }
  trie = piece_trie(texts);
}

TRANSEPT_FUNCTION word_pieces::word_pieces(std::span<const scored_piece> first,
                                           std::span<const scored_piece> inside, std::size_t most_characters)
    : first_(first), inside_(inside), most_characters_(most_characters) {}

TRANSEPT_FUNCTION bool word_pieces::encode(std::string_view word, std::vector<token_id>& out) const {
  std::size_t characters = 0; // no more than bytes
  for (std::size_t at = 0; at < word.size() && word.size() > most_characters_;
       at += first_character(word.substr(at)).length)
    if (++characters > most_characters_) return false;
  const std::size_t before = out.size();
  for (std::size_t at = 0; at < word.size();) {
    const table& pieces = at == 0 ? first_ : inside_;
    const piece_trie::found found = pieces.trie.longest(word.substr(at));
    if (found.string == piece_trie::none) {
      out.resize(before);
      return false;
    }
    out.push_back(pieces.tokens[found.string]);
    at += found.length;
  }
  return true;
}

} // namespace transept::inline TRANSEPT_ABI
