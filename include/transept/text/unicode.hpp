// Characters: UTF-8 that never loses a byte, and the classes GPT-2's pattern tells apart.
//
// Text is bytes. Where they are UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF), a
// character is a code point; every byte that belongs to no such character is a character of its own, neither
// letter nor number nor white space. So any bytes at all are text, and pieces of it put together are the
// text.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <transept/core/version.hpp>
#include <transept/text/unicode_tables.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

/// What a table of unicode_tables says of a code point, 0 to 3; 0 behind its end.
template <class Index, class Blocks>
constexpr unsigned two_bits_of(const Index& block_of, const Blocks& blocks, std::uint32_t code_point) {
  const std::size_t block = code_point >> 8;
  if (block >= block_of.size()) return 0;
  const std::size_t word = std::size_t{block_of[block]} * 8 + ((code_point >> 5) & 7u);
  return static_cast<unsigned>((blocks[word] >> (2 * (code_point & 31u))) & 3u);
}

} // namespace detail

/// What GPT-2's pattern calls [^\s\p{L}\p{N}], \p{L}, \p{N} and \s. The values are those of the tables.
enum class character_class : std::uint8_t { other, letter, number, space };

/// The class of a code point; `other` for anything above U+10FFFF.
constexpr character_class class_of(std::uint32_t code_point) {
  return static_cast<character_class>(
      detail::two_bits_of(unicode_tables::block_of, unicode_tables::blocks, code_point));
}

/// What a character is that is of the class `other`: \p{M}, \p{P}, \p{S} or none of these.
enum class character_kind : std::uint8_t { none, mark, punctuation, symbol };

/// The kind of a code point; `none` for letters, numbers, white space, and what is no code point.
constexpr character_kind kind_of(std::uint32_t code_point) {
  return static_cast<character_kind>(
      detail::two_bits_of(unicode_tables::kind_block_of, unicode_tables::kind_blocks, code_point));
}

/// How many bytes a UTF-8 sequence has that begins with `lead`: 1 to 4, or 0 where none begins so.
constexpr std::size_t utf8_length(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead < 0xc2) return 0;
  if (lead < 0xe0) return 2;
  if (lead < 0xf0) return 3;
  return lead < 0xf5 ? 4 : 0;
}

/// Whether `next` may follow `lead` as a sequence's second byte. (Later bytes are any of 0x80 to 0xBF.)
constexpr bool utf8_may_follow(unsigned char lead, unsigned char next) {
  const unsigned char lowest = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const unsigned char highest = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  return lowest <= next && next <= highest;
}

/// How many of `text`'s first bytes agree with one UTF-8 sequence: the whole of it, or where the text ends
/// or departs from it. 0 where no sequence begins so.
constexpr std::size_t utf8_agreement(std::string_view text) {
  if (text.empty()) return 0;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::size_t length = utf8_length(byte(0));
  if (length < 2) return length;
  if (text.size() < 2 || !utf8_may_follow(byte(0), byte(1))) return 1;
  std::size_t agreeing = 2;
  while (agreeing < length && agreeing < text.size() && (byte(agreeing) & 0xc0u) == 0x80u) ++agreeing;
  return agreeing;
}

/// One character of a text: a code point and the 1 to 4 bytes it takes, or one byte that is no UTF-8.
struct character {
  static constexpr std::uint32_t not_utf8 = 0xffffffffu; ///< in place of a code point
  std::uint32_t code_point;                              ///< or not_utf8
  std::uint32_t length;                                  ///< in bytes
};

/// The character that `text`, which is not empty, begins with.
constexpr character first_character(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i]));
  };
  const std::size_t length = utf8_length(static_cast<unsigned char>(text[0]));
  if (length == 1) return {byte(0), 1};
  if (length == 0 || utf8_agreement(text) < length) return {character::not_utf8, 1};
  if (length == 2) return {(byte(0) & 0x1fu) << 6 | (byte(1) & 0x3fu), 2};
  if (length == 3) return {(byte(0) & 0x0fu) << 12 | (byte(1) & 0x3fu) << 6 | (byte(2) & 0x3fu), 3};
  return {(byte(0) & 0x07u) << 18 | (byte(1) & 0x3fu) << 12 | (byte(2) & 0x3fu) << 6 | (byte(3) & 0x3fu), 4};
}

namespace detail {

/// Where the last character of a text that is not empty begins.
inline std::size_t start_of_last_character(std::string_view text) {
  for (std::size_t length = 2; length <= 4 && length <= text.size(); ++length)
    if (first_character(text.substr(text.size() - length)).length == length) return text.size() - length;
  return text.size() - 1;
}

} // namespace detail

/// Appends a code point's UTF-8.
inline void append_utf8(std::string& text, char32_t code_point) {
  const auto put = [&](std::uint32_t byte) { text += static_cast<char>(byte); };
  const auto c = static_cast<std::uint32_t>(code_point);
  if (c < 0x80) return put(c);
  if (c < 0x800) {
    put(0xc0u | c >> 6);
  } else {
    if (c < 0x10000) {
      put(0xe0u | c >> 12);
    } else {
      put(0xf0u | c >> 18);
      put(0x80u | ((c >> 12) & 0x3fu));
    }
    put(0x80u | ((c >> 6) & 0x3fu));
  }
  put(0x80u | (c & 0x3fu));
}

/// Whether all of it is.
constexpr bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const character next = first_character(text);
    if (next.code_point == character::not_utf8) return false;
    text.remove_prefix(next.length);
  }
  return true;
}

/// How many bytes at the end of `text` (0 to 3) could still become one character if more bytes came.
constexpr std::size_t incomplete_suffix(std::string_view text) {
  const std::size_t most = text.size() < 3 ? text.size() : 3;
  for (std::size_t count = 1; count <= most; ++count) {
    const std::string_view suffix = text.substr(text.size() - count);
    // Only a lead byte begins a character, and no lead byte is inside one.
    const std::size_t length = utf8_length(static_cast<unsigned char>(suffix[0]));
    if (length == 0) continue;
    return length > count && utf8_agreement(suffix) == count ? count : 0;
  }
  return 0;
}

namespace detail {

inline constexpr auto ascii_classes = [] {
  std::array<character_class, 128> classes{};
  for (std::uint32_t c = 0; c < classes.size(); ++c) classes[c] = class_of(c);
  return classes;
}();

} // namespace detail

/// A character's class and length.
struct classified {
  character_class kind; ///< `other` for a byte that is no UTF-8
  std::uint32_t length; ///< in bytes
};

/// The class and length in bytes of the character that `text`, which is not empty, begins with.
constexpr classified classify(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return {detail::ascii_classes[lead], 1};
  const character first = first_character(text);
  return {class_of(first.code_point), first.length};
}

} // namespace transept::inline TRANSEPT_ABI
