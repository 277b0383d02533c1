// The unigram language model (Kudo, "Subword regularization", 2018): of all ways to put a text together from
// pieces, the one whose pieces' log-probabilities add up to the most (Viterbi, 1967). A character that is no
// piece alone may also be unknown, at a price.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <transept/core/function_ref.hpp>
#include <transept/core/types.hpp>
#include <transept/text/piece_trie.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A token as it is looked for in a text.
struct scored_piece {
  std::string text; ///< not empty
  token_id token;   ///< what it becomes
  double score = 0; ///< its log-probability (unigram)
};

/// Immutable once made; `encode` may be called from any number of threads.
class unigram {
public:
  unigram() = default;

  /// `unknown_score`: of a character that is no piece. `single_precision`: sums are rounded as SentencePiece
  /// rounds them, else as Hugging Face's tokenizers; it matters where several ways are equally good.
  unigram(std::span<const scored_piece> pieces, double unknown_score, bool single_precision);

  /// Appends the tokens of `text`, any bytes, to `out`, and calls `unknown(run)` for each run of characters
  /// in between that belong to no piece. Time is linear in the text's length, times that of the longest
  /// piece. Memory too, where pieces overlap without end; else it is that of a few words.
  void encode(std::string_view text, function_ref<void(std::string_view)> unknown,
              std::vector<token_id>& out) const;

private:
  struct entry {
    double score;
    token_id token;
  };

  piece_trie trie_;
  std::vector<entry> entries_; // by the trie's strings
  double unknown_score_ = 0;
  bool single_precision_ = false;
};

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/text/impl/unigram.hpp>
#endif
