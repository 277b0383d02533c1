// Learning a byte-level BPE vocabulary (Sennrich et al., 2016) from counted words.
//
// Words begin as bytes. Again and again the pair of neighbours that occurs most often, over all words and
// their counts, becomes a token of its own. The tokens and the order of the merges are those of Hugging
// Face's trainer with the alphabet of all bytes: ids are the special tokens, the 256 bytes in the order of
// their written form (byte_alphabet.hpp), then a token per merge; of pairs that occur equally often, that
// with the smaller left id, then the smaller right id is merged first; "aaa" has the pair (a, a) twice.
// One thing differs: no merges lead to a special token (there, one that spells it yields its id).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/text/tokenizer.hpp>
#include <transept/text/word_counts.hpp>

namespace transept::inline TRANSEPT_ABI {

/// What learn_vocabulary is asked for.
struct bpe_options {
  /// Tokens to learn up to: special tokens, 256 bytes and merges. Fewer where pairs run out.
  std::size_t vocab_size = 30'000;
  /// Pairs that occur less often are not merged.
  std::uint64_t min_frequency = 2;
  /// They come first. Words of theirs are not told from others: count_words cuts texts at them.
  std::vector<std::string> special_tokens = {std::string(tokenizer::end_of_text_text)};
  /// Called now and then with the size of the vocabulary so far and the size wanted.
  std::function<void(std::uint64_t, std::uint64_t)> progress = {};
};

/// Learns merges from counted words. The result depends on the words and their counts, not on the order they
/// were counted in. Throws argument_error for a vocab_size that has no room for bytes and special tokens, and
/// for special tokens that are empty, the same, or written as a byte is.
TRANSEPT_FUNCTION vocabulary learn_vocabulary(const word_counts& words, const bpe_options& options = {});

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/text/impl/bpe_training.hpp>
#endif
