// WordPiece (Schuster and Nakajima, "Japanese and Korean voice search", 2012; as BERT uses it, Devlin et al.
// 2018): a word becomes the longest token that it begins with, then the longest of those for the inside of
// words that the rest begins with, and so on. A word that this does not come through is unknown as a whole.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include <transept/core/types.hpp>
#include <transept/text/piece_trie.hpp>
#include <transept/text/unigram.hpp>

namespace transept::inline TRANSEPT_ABI {

/// Immutable once made; `encode` may be called from any number of threads.
class word_pieces {
public:
  word_pieces() = default;

  /// `first`: what words begin with; `inside`: what they go on with. A word of more than `most_characters` is
  /// unknown.
  word_pieces(std::span<const scored_piece> first, std::span<const scored_piece> inside,
              std::size_t most_characters);

  /// Appends the tokens of a word to `out`; false, and nothing appended, where it is unknown. Time is linear
  /// in the word's length, times that of the longest piece.
  bool encode(std::string_view word, std::vector<token_id>& out) const;

private:
  struct table {
    piece_trie trie;
    std::vector<token_id> tokens; // by the trie's strings
    explicit table(std::span<const scored_piece> pieces);
  };

  table first_{{}}, inside_{{}};
  std::size_t most_characters_ = 0;
};

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/text/impl/word_pieces.hpp>
#endif
