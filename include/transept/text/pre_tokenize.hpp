// GPT-2's pattern, which cuts a text into the pieces that byte pairs are merged within:
//
//   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
//
// (Radford et al., "Language Models are Unsupervised Multitask Learners", 2019, and its published encoder.)
// Written out by hand: every character is looked at a bounded number of times, whatever the text.
// The class of a byte that is not UTF-8 is [^\s\p{L}\p{N}].
#pragma once

#include <cstddef>
#include <string_view>

#include <transept/core/version.hpp>
#include <transept/text/unicode.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

/// Bytes of the contraction that `text` begins with: 's 't 'm 'd 'll 've 're, lower case; 0 if with none.
constexpr std::size_t contraction(std::string_view text) {
  if (text.size() < 2 || text[0] != '\'') return 0;
  const char next = text[1];
  if (next == 's' || next == 't' || next == 'm' || next == 'd') return 2;
  if (text.size() < 3) return 0;
  const char last = text[2];
  const bool two =
      (next == 'l' && last == 'l') || (next == 'v' && last == 'e') || (next == 'r' && last == 'e');
  return two ? 3 : 0;
}

/// The end of the run of characters of class `kind` that goes on at `start`.
constexpr std::size_t end_of_run(std::string_view text, std::size_t start, character_class kind) {
  while (start < text.size()) {
    const classified next = classify(text.substr(start));
    if (next.kind != kind) break;
    start += next.length;
  }
  return start;
}

/// The end of the piece that begins at `start` with white space: `\s+(?!\S)|\s+`, that is all of a run that
/// ends the text, else all but its last character, else (where that leaves nothing) that character.
constexpr std::size_t end_of_space(std::string_view text, std::size_t start) {
  std::size_t end = start, last = start; // `last` is where the run's last character begins
  while (end < text.size()) {
    const classified next = classify(text.substr(end));
    if (next.kind != character_class::space) return last > start ? last : end;
    last = end;
    end += next.length;
  }
  return end;
}

/// The end of the piece that begins at `start` < text.size().
constexpr std::size_t end_of_piece(std::string_view text, std::size_t start) {
  if (text[start] == '\'') {
    if (const std::size_t length = contraction(text.substr(start))) return start + length;
  }
  // A single space goes with the word, number or punctuation after it.
  const std::size_t word = start + (text[start] == ' ' ? 1 : 0);
  if (word == text.size()) return word;
  const classified first = classify(text.substr(word));
  if (first.kind == character_class::space) return end_of_space(text, start);
  return end_of_run(text, word + first.length, first.kind);
}

} // namespace detail

/// Calls `f(std::string_view piece)` for each piece of `text`, in order. The pieces put together are `text`.
/// Time is linear in the text's length.
template <class F>
constexpr void pre_tokenize(std::string_view text, F&& f) {
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = detail::end_of_piece(text, start);
    f(text.substr(start, end - start));
    start = end;
  }
}

/// Whether pieces end before text[at] whatever is before and after, so that the parts pre-tokenized one by
/// one give the pieces of the whole: where text[at] is ASCII white space and is seen to be followed by no
/// white space. (Not after a line feed: "\n\n" before a word is two pieces, but one at a text's end.)
constexpr bool may_cut_before(std::string_view text, std::size_t at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  if (byte >= 128 || class_of(byte) != character_class::space) return false;
  const std::string_view rest = text.substr(at + 1);
  return rest.size() > incomplete_suffix(rest) && classify(rest).kind != character_class::space;
}

} // namespace transept::inline TRANSEPT_ABI
