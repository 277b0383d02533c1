// How texts are cut into the pieces that merges stay within: the steps that tokenizer.json files put together
// as their pre_tokenizer. Each takes a piece and cuts it further; it sees nothing of what is beside the
// piece. What a step's pattern matches is a piece, and so is what lies between two matches.
//
// Written out by hand, as GPT-2's (pre_tokenize.hpp) is: every character is looked at a bounded number of
// times, whatever the text. tests/text/splitting_test.cpp holds them against the patterns themselves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include <transept/core/function_ref.hpp>
#include <transept/core/version.hpp>

namespace transept::inline TRANSEPT_ABI {

/// One step. \p{L}, \p{M}, \p{N}, \p{P}, \p{S} are Unicode's letters, marks, numbers, punctuation and
/// symbols, \s its white space; a byte that is no UTF-8 is none of these.
enum class splitting : std::uint8_t {
  /// 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
  gpt2,
  /// (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|
  /// \s+(?!\S)|\s+ (in one line), of tiktoken's cl100k_base
  llama3,
  /// The same with \p{N} in place of \p{N}{1,3}
  qwen2,
  /// ` ?[^(\s|[.,!?…。，、।۔،])]+`
  bloom,
  each_digit,   ///< \p{N}
  three_digits, ///< [0-9][0-9][0-9]
  /// Runs of bytes that are digits where bytes are written as characters of Latin-1: 0 to 9, ² ³ ¹ ¼ ½ ¾
  /// (what a
  /// Digits behind a ByteLevel sees)
  digit_bytes,
  numbers,              ///< \p{N}{1,3}
  punctuation,          ///< runs of ASCII's punctuation and \p{P}
  line_breaks,          ///< [\r\n]
  letters,              ///< \s?\p{L}+
  marks_of_punctuation, ///< \s?\p{P}+
  ideographs,           ///< [一-龥ࠀ-一가-퟿]+
  ideographs_and_kana,  ///< [一-龥぀-ゟ゠-ヿ]+
  /// [!-/:-~&&[:punct:]][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|
  /// \s+(?!\S)|\s+ (in one line)
  deepseek,
  word_runs,   ///< \w+|[^\w\s]+ (UTS 18's \w), and white space goes
  white_space, ///< \S+, and white space goes
  words,       ///< BERT's: white space goes, punctuation stands alone
  spaces,      ///< a piece begins at each space or ▁ (U+2581)
};

/// Steps, one after the other. Immutable; any number of threads may use it.
class splitter {
public:
  splitter() = default; ///< the whole text is one piece
  /// These steps, in this order.
  explicit splitter(std::vector<splitting> steps) : steps_(std::move(steps)) {}

  /// What it is made of.
  const std::vector<splitting>& steps() const { return steps_; }

  /// Calls `f(piece)` for each piece, in order. The pieces put together are the text, but for white space
  /// that `splitting::words` takes out. Time is linear in the text's length.
  void split(std::string_view text, function_ref<void(std::string_view)> f) const;

  /// Whether pieces end before text[at] whatever is before and after, so that the parts cut one by one give
  /// the pieces of the whole: at a space that is seen to be followed by no white space, if all steps allow
  /// that.
  bool may_cut_before(std::string_view text, std::size_t at) const;

private:
  void split(std::string_view text, std::size_t step, function_ref<void(std::string_view)> f) const;

  std::vector<splitting> steps_;
};

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/text/impl/splitting.hpp>
#endif
