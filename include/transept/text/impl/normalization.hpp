// How texts are normalized (text/normalization.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <transept/text/impl/normalization_steps.hpp>
#include <transept/text/normalization.hpp>
#include <transept/text/unicode.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION bool is_surely_nfc(std::string_view text) {
  // What begins with a lower byte is below U+0300.
  while (!text.empty()) {
    if (static_cast<unsigned char>(text[0]) < 0xcc) {
      text.remove_prefix(1);
      continue;
    }
    const character next = first_character(text);
    if (next.code_point != character::not_utf8 && !detail::is_inert(next.code_point)) return false;
    text.remove_prefix(next.length);
  }
  return true;
}

TRANSEPT_FUNCTION std::string nfc(std::string_view text) { return detail::normalized(text, false, true); }

TRANSEPT_FUNCTION std::string nfkc(std::string_view text) { return detail::normalized(text, true, true); }

TRANSEPT_FUNCTION std::string nfd(std::string_view text) { return detail::normalized(text, false, false); }

TRANSEPT_FUNCTION std::string nfkd(std::string_view text) { return detail::normalized(text, true, false); }

TRANSEPT_FUNCTION bool is_word_character(char32_t code_point) {
  return detail::find_run(detail::normalization_tables().words, static_cast<std::uint32_t>(code_point)) !=
         nullptr;
}

TRANSEPT_FUNCTION std::string lower_case(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto lead = static_cast<unsigned char>(text[at]);
    if (lead < 0x80) {
      out += static_cast<char>('A' <= lead && lead <= 'Z' ? lead - 'A' + 'a' : lead);
      ++at;
      continue;
    }
    const character next = first_character(text.substr(at));
    if ((detail::traits_of(next.code_point) & detail::trait::has_lower_case) == 0) {
      out.append(text, at, next.length);
    } else if (next.code_point == 0x130) { // İ: the one whose lower case is two characters
      out += "i\xcc\x87";
    } else {
      const auto* const run = detail::find_run(detail::normalization_tables().lower_cases, next.code_point);
      append_utf8(out, next.code_point + static_cast<std::uint32_t>(run ? run->value : 0));
    }
    at += next.length;
  }
  return out;
}

namespace detail {

/// The text without those of its marks that go.
template <class F>
std::string without_marks_if(std::string_view text, F&& goes) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto lead = static_cast<unsigned char>(text[0]);
    if (lead < 0xcc) { // below U+0300, or a byte alone
      const bool is_short = lead < 0x80 || lead < 0xc2;
      const std::size_t length = is_short ? 1 : first_character(text).length;
      out.append(text, 0, length);
      text.remove_prefix(length);
      continue;
    }
    const character next = first_character(text);
    const bool is_mark = kind_of(next.code_point) == character_kind::mark;
    if (!is_mark || !goes(next.code_point)) out += text.substr(0, next.length);
    text.remove_prefix(next.length);
  }
  return out;
}

} // namespace detail

TRANSEPT_FUNCTION std::string without_marks(std::string_view text) {
  return detail::without_marks_if(text, [](std::uint32_t mark) {
    return !detail::find_run(detail::normalization_tables().spacing_marks, mark);
  });
}

TRANSEPT_FUNCTION std::string without_all_marks(std::string_view text) {
  return detail::without_marks_if(text, [](std::uint32_t) { return true; });
}

} // namespace transept::inline TRANSEPT_ABI
