// How each step cuts (text/splitting.hpp).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include <transept/core/function_ref.hpp>
#include <transept/text/impl/space_mark.hpp>
#include <transept/text/normalization.hpp>
#include <transept/text/pre_tokenize.hpp>
#include <transept/text/splitting.hpp>
#include <transept/text/unicode.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

/// A character, and all that patterns ask about it.
struct judged {
  std::uint32_t code_point;
  std::uint32_t length; ///< 0 at the end of the text
  character_class kind;

  bool is_letter() const { return length != 0 && kind == character_class::letter; }
  bool is_number() const { return length != 0 && kind == character_class::number; }
  bool is_space() const { return length != 0 && kind == character_class::space; }
  bool is_other() const { return length != 0 && kind == character_class::other; }
  bool is_line_break() const { return code_point == '\r' || code_point == '\n'; }
  bool is_mark() const { return length != 0 && kind_of(code_point) == character_kind::mark; }
  bool is_punctuation() const { return length != 0 && kind_of(code_point) == character_kind::punctuation; }
  bool is_symbol() const { return length != 0 && kind_of(code_point) == character_kind::symbol; }
  bool is_ascii_punctuation() const { return code_point > ' ' && code_point < 0x7f && is_other(); }
};

inline judged judge_beyond_ascii(std::string_view text) {
  const character first = first_character(text);
  return {first.code_point, first.length, class_of(first.code_point)};
}

TRANSEPT_ALWAYS_INLINE inline judged judge(std::string_view text, std::size_t at) {
  if (at >= text.size()) return {character::not_utf8, 0, character_class::other};
  const auto lead = static_cast<unsigned char>(text[at]);
  return lead < 0x80 ? judged{lead, 1, ascii_classes[lead]} : judge_beyond_ascii(text.substr(at));
}

/// The end of the run of characters from `at` on that are wanted.
template <class F>
std::size_t end_of(std::string_view text, std::size_t at, F&& wanted) {
  for (judged next = judge(text, at); next.length != 0 && wanted(next); next = judge(text, at))
    at += next.length;
  return at;
}

inline std::size_t end_of_letters(std::string_view text, std::size_t at) {
  return end_of_run(text, at, character_class::letter);
}

inline std::size_t end_of_line_breaks(std::string_view text, std::size_t at) {
  while (at < text.size() && (text[at] == '\r' || text[at] == '\n')) ++at;
  return at;
}

/// contraction() in any case, with the ſ (U+017F) whose upper case is S.
inline std::size_t contraction_of_any_case(std::string_view text) {
  if (text.size() < 2 || text[0] != '\'') return 0;
  if (text.substr(1).starts_with("\xc5\xbf")) return 3;
  char lower[3] = {'\'', 0, 0};
  for (std::size_t i = 1; i < std::min<std::size_t>(3, text.size()); ++i)
    lower[i] = static_cast<char>('A' <= text[i] && text[i] <= 'Z' ? text[i] - 'A' + 'a' : text[i]);
  return contraction({lower, std::min<std::size_t>(3, text.size())});
}

/// `\s*[\r\n]+|\s+(?!\S)|\s+` at `start`, which is white space.
inline std::size_t end_of_space_and_lines(std::string_view text, std::size_t start) {
  std::size_t behind_break = start, last = start, end = start;
  for (judged next = judge(text, end); next.is_space(); next = judge(text, end)) {
    last = end;
    end += next.length;
    if (next.is_line_break()) behind_break = end;
  }
  if (behind_break != start) return behind_break;
  return end == text.size() || last == start ? end : last;
}

/// Up to `most` numbers.
inline std::size_t end_of_numbers(std::string_view text, std::size_t at, int most) {
  for (judged next = judge(text, at); most > 0 && next.is_number(); next = judge(text, at), --most)
    at += next.length;
  return at;
}

/// Of cl100k_base and its kin, which differ in how many digits stay together.
inline std::size_t end_of_cl100k(std::string_view text, std::size_t start, int digits) {
  if (text[start] == '\'') {
    if (const std::size_t length = contraction_of_any_case(text.substr(start))) return start + length;
  }
  const judged first = judge(text, start);
  if (first.is_letter()) return end_of_letters(text, start + first.length);
  if (first.is_number()) return end_of_numbers(text, start, digits);
  const judged second = judge(text, start + first.length);
  if (!first.is_line_break() && second.is_letter()) return end_of_letters(text, start + first.length);
  const bool spaced = first.code_point == ' ' && second.is_other();
  if (first.is_other() || spaced)
    return end_of_line_breaks(text, end_of_run(text, start + (spaced ? 1 : 0), character_class::other));
  return end_of_space_and_lines(text, start);
}

/// Of DeepSeek V3; `start` where no alternative matches.
inline std::size_t end_of_deepseek(std::string_view text, std::size_t start) {
  const judged first = judge(text, start);
  const std::size_t behind = start + first.length;
  const auto is_latin = [](const judged& each) {
    return each.code_point < 0x80 && ascii_classes[each.code_point] == character_class::letter;
  };
  const auto is_letter_or_mark = [](const judged& each) { return each.is_letter() || each.is_mark(); };
  const auto is_sign = [](const judged& each) { return each.is_punctuation() || each.is_symbol(); };
  if (first.is_ascii_punctuation() && is_latin(judge(text, behind))) return end_of(text, behind, is_latin);
  const bool may_lead = !first.is_line_break() && !first.is_letter() && !is_sign(first);
  if (may_lead && is_letter_or_mark(judge(text, behind))) return end_of(text, behind, is_letter_or_mark);
  if (is_letter_or_mark(first)) return end_of(text, start, is_letter_or_mark);
  const std::size_t signs = start + (first.code_point == ' ' ? 1 : 0);
  if (is_sign(judge(text, signs))) return end_of_line_breaks(text, end_of(text, signs, is_sign));
  return first.is_space() ? end_of_space_and_lines(text, start) : start;
}

/// Whether BLOOM's pattern leaves a character out.
inline bool is_left_out_by_bloom(const judged& each) {
  static constexpr std::uint32_t others[] = {'(',    ')',    '|',    '.',    ',',    '!',    '?',
                                             0x2026, 0x3002, 0xff0c, 0x3001, 0x0964, 0x06d4, 0x060c};
  return each.is_space() ||
         std::find(std::begin(others), std::end(others), each.code_point) != std::end(others);
}

inline bool is_ideograph(const judged& each) {
  const std::uint32_t c = each.code_point;
  return (0x0800 <= c && c <= 0x9fa5) || (0xac00 <= c && c <= 0xd7ff);
}

inline bool is_ideograph_or_kana(const judged& each) {
  const std::uint32_t c = each.code_point;
  return (0x4e00 <= c && c <= 0x9fa5) || (0x3040 <= c && c <= 0x30ff);
}

inline bool is_digit_byte(char byte) {
  const auto b = static_cast<unsigned char>(byte);
  return ('0' <= b && b <= '9') || b == 0xb2 || b == 0xb3 || b == 0xb9 || (0xbc <= b && b <= 0xbe);
}

inline bool is_any_punctuation(const judged& each) {
  return each.is_ascii_punctuation() || each.is_punctuation();
}

/// Whether each character of ASCII ends a word of BERT's.
inline constexpr auto ascii_ends_word = [] {
  std::array<bool, 128> ends{};
  for (std::uint32_t c = 0; c < ends.size(); ++c)
    ends[c] = ascii_classes[c] == character_class::space ||
              (c > ' ' && c < 0x7f && ascii_classes[c] == character_class::other);
  return ends;
}();

/// The end of the word of BERT's that goes on at `at`.
inline std::size_t end_of_word(std::string_view text, std::size_t at) {
  while (at < text.size()) {
    const auto lead = static_cast<unsigned char>(text[at]);
    if (lead < 0x80) {
      if (ascii_ends_word[lead]) break;
      ++at;
      continue;
    }
    const judged next = judge(text, at);
    if (next.is_space() || is_any_punctuation(next)) break;
    at += next.length;
  }
  return at;
}

/// The end of what a step matches at `start` < text.size(); `start` where it matches nothing.
inline std::size_t end_of_match(splitting step, std::string_view text, std::size_t start) {
  const judged first = judge(text, start);
  // `\s?X+`
  const auto with_space_before = [&](auto wanted) {
    const std::size_t at = start + (first.is_space() ? first.length : 0);
    const std::size_t end = end_of(text, at, wanted);
    return end == at ? start : end;
  };
  switch (step) {
  case splitting::gpt2:
    return end_of_piece(text, start);
  case splitting::llama3:
    return end_of_cl100k(text, start, 3);
  case splitting::qwen2:
    return end_of_cl100k(text, start, 1);
  case splitting::bloom: {
    const std::size_t at = start + (first.code_point == ' ' ? 1 : 0);
    const std::size_t end = end_of(text, at, [](const judged& each) { return !is_left_out_by_bloom(each); });
    return end == at ? start : end;
  }
  case splitting::each_digit:
    return end_of_numbers(text, start, 1);
  case splitting::numbers:
    return end_of_numbers(text, start, 3);
  case splitting::three_digits: {
    const std::string_view three = text.substr(start, 3);
    const bool all = three.size() == 3 && std::all_of(three.begin(), three.end(),
                                                      [](char each) { return '0' <= each && each <= '9'; });
    return start + (all ? 3 : 0);
  }
  case splitting::digit_bytes: {
    std::size_t end = start;
    while (end < text.size() && is_digit_byte(text[end])) ++end;
    return end;
  }
  case splitting::punctuation:
    return is_any_punctuation(first) ? end_of(text, start + first.length, is_any_punctuation) : start;
  case splitting::line_breaks:
    return start + (first.is_line_break() ? 1 : 0);
  case splitting::letters:
    return with_space_before([](const judged& each) { return each.is_letter(); });
  case splitting::marks_of_punctuation:
    return with_space_before([](const judged& each) { return each.is_punctuation(); });
  case splitting::ideographs:
    return is_ideograph(first) ? end_of(text, start + first.length, is_ideograph) : start;
  case splitting::ideographs_and_kana:
    return is_ideograph_or_kana(first) ? end_of(text, start + first.length, is_ideograph_or_kana) : start;
  case splitting::deepseek:
    return end_of_deepseek(text, start);
  case splitting::word_runs: {
    if (first.is_space()) return start + first.length;
    const auto is_of_word = [](const judged& each) { return is_word_character(each.code_point); };
    if (is_of_word(first)) return end_of(text, start, is_of_word);
    return end_of(text, start, [&](const judged& each) { return !each.is_space() && !is_of_word(each); });
  }
  case splitting::white_space:
    return first.is_space() ? start + first.length
                            : end_of(text, start, [](const judged& each) { return !each.is_space(); });
  case splitting::words:
    return start + (first.is_space() || is_any_punctuation(first) ? first.length : 0);
  case splitting::spaces: // bytes will do: neither is part of another character
    for (std::size_t end = start + first.length;; ++end)
      if (end >= text.size() || text[end] == ' ' || text.substr(end).starts_with(space_mark)) return end;
  }
  return start;
}

/// Whether a match of a step may begin with this byte: a character of ASCII, or part of any other.
constexpr bool may_begin(splitting step, std::uint32_t byte) {
  if (byte >= 0x80) return step != splitting::three_digits && step != splitting::line_breaks;
  const bool is_space = ascii_classes[byte] == character_class::space;
  const bool is_sign = byte > ' ' && byte < 0x7f && ascii_classes[byte] == character_class::other;
  switch (step) {
  case splitting::each_digit:
  case splitting::three_digits:
  case splitting::digit_bytes:
  case splitting::numbers:
    return '0' <= byte && byte <= '9';
  case splitting::punctuation:
    return is_sign;
  case splitting::line_breaks:
    return byte == '\r' || byte == '\n';
  case splitting::letters:
    return is_space || ascii_classes[byte] == character_class::letter;
  case splitting::marks_of_punctuation:
    return is_space || is_sign;
  case splitting::ideographs:
  case splitting::ideographs_and_kana:
    return false;
  default:
    return true;
  }
}

/// may_begin() of every step: most steps look for little of what most texts are.
inline constexpr auto may_begin_with = [] {
  std::array<std::array<bool, 256>, static_cast<std::size_t>(splitting::spaces) + 1> table{};
  for (std::size_t step = 0; step < table.size(); ++step)
    for (std::uint32_t byte = 0; byte < 256; ++byte)
      table[step][byte] = may_begin(static_cast<splitting>(step), byte);
  return table;
}();

/// The end of what a step makes of what begins at `start` < text.size(): a match, or what lies before the
/// next.
inline std::size_t end_of_part(splitting step, std::string_view text, std::size_t start) {
  const auto& table = may_begin_with[static_cast<std::size_t>(step)];
  const auto is_between = [&](std::size_t at) { return !table[static_cast<unsigned char>(text[at])]; };
  std::size_t at = start;
  if (!is_between(at)) {
    const std::size_t end = end_of_match(step, text, at);
    if (end != at) return end;
    if (step == splitting::words) return end_of_word(text, at);
    at += step == splitting::digit_bytes ? 1 : judge(text, at).length;
  }
  while (at < text.size()) {
    if (is_between(at))
      ++at;
    else if (end_of_match(step, text, at) == at)
      at += step == splitting::digit_bytes ? 1 : judge(text, at).length;
    else
      break;
  }
  return at;
}

} // namespace detail

TRANSEPT_FUNCTION void splitter::split(std::string_view text, function_ref<void(std::string_view)> f) const {
  split(text, 0, f);
}

TRANSEPT_FUNCTION void splitter::split(std::string_view text, std::size_t step,
                                       function_ref<void(std::string_view)> f) const {
  if (text.empty()) return;
  for (; step != steps_.size(); ++step) {
    const splitting how = steps_[step];
    const bool drops_space =
        how == splitting::words || how == splitting::word_runs || how == splitting::white_space;
    std::size_t end = detail::end_of_part(how, text, 0);
    if (end == text.size() && !drops_space) continue; // it stays one piece
    for (std::size_t start = 0;; end = detail::end_of_part(how, text, start)) {
      const std::string_view piece = text.substr(start, end - start);
      if (!drops_space || !detail::judge(piece, 0).is_space()) split(piece, step + 1, f);
      if (end == text.size()) return;
      start = end;
    }
  }
  f(text);
}

TRANSEPT_FUNCTION bool splitter::may_cut_before(std::string_view text, std::size_t at) const {
  if (text[at] != ' ' || !transept::may_cut_before(text, at)) return false;
  for (const splitting step : steps_) {
    const bool begins = detail::end_of_match(step, text, at) != at;
    switch (step) {
    case splitting::gpt2:
    case splitting::llama3:
    case splitting::qwen2:
    case splitting::deepseek:
    case splitting::words:
    case splitting::word_runs:
    case splitting::white_space:
    case splitting::spaces:
      return true;
    case splitting::bloom:
      return begins;
    default: // a step that cuts nothing here leaves the space and what follows to the next one
      if (begins || detail::end_of_match(step, text, at + 1) != at + 1) return false;
    }
  }
  return false;
}

} // namespace transept::inline TRANSEPT_ABI
