// How text is made fit for a message (core/display.hpp).
#pragma once

#include <algorithm>
#include <array>
#include <charconv>

#include <transept/core/display.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

TRANSEPT_FUNCTION std::size_t utf8_sequence(std::string_view text, std::uint32_t& code_point) {
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i]));
  };
  if (text.empty()) return 0;
  const std::uint32_t first = byte(0);
  if (first < 0x80) return code_point = first, 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  code_point = first & (0xffu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0u) != 0x80u) return 0;
    code_point = (code_point << 6) | (byte(i) & 0x3fu);
  }
  const bool overlong = (length == 3 && code_point < 0x800) || (length == 4 && code_point < 0x10000);
  const bool surrogate = code_point >= 0xd800 && code_point <= 0xdfff;
  return overlong || surrogate || code_point > 0x10ffff ? 0 : length;
}

TRANSEPT_FUNCTION bool is_displayable(std::uint32_t code_point) {
  if (code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0)) return false;
  if (code_point >= 0x200b && code_point <= 0x200f) return false;
  if (code_point >= 0x2028 && code_point <= 0x202e) return false;
  if (code_point >= 0x2060 && code_point <= 0x206f) return false;
  return code_point != 0xfeff;
}

TRANSEPT_FUNCTION std::string escaped(std::string_view text, std::size_t max_bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  std::size_t i = 0;
  while (i < text.size() && i < max_bytes) {
    std::uint32_t code_point = 0;
    const std::size_t length = utf8_sequence(text.substr(i), code_point);
    if (length != 0 && is_displayable(code_point)) {
      if (code_point == '"' || code_point == '\\') out += '\\';
      out += text.substr(i, length);
      i += length;
      continue;
    }
    const auto byte = static_cast<unsigned char>(text[i++]);
    if (byte == '\n')
      out += "\\n";
    else if (byte == '\t')
      out += "\\t";
    else if (byte == '\r')
      out += "\\r";
    else
      out += {'\\', 'x', digits[byte >> 4], digits[byte & 15u]};
  }
  if (i < text.size()) out += "...";
  return out;
}

template <class T>
std::string shortest_decimal(T value) {
  std::array<char, 32> text;
  const auto result = std::to_chars(text.data(), text.data() + text.size(), value);
  return std::string(text.data(), result.ptr);
}
TRANSEPT_FUNCTION std::string shortest(float value) { return shortest_decimal(value); }
TRANSEPT_FUNCTION std::string shortest(double value) { return shortest_decimal(value); }

} // namespace detail

TRANSEPT_FUNCTION std::string quoted_function::operator()(std::string_view text) const {
  std::string out = "\"" + detail::escaped(text, 80) + "\"";
  if (text.size() > 80) out += " (" + std::to_string(text.size()) + " bytes)";
  return out;
}

TRANSEPT_FUNCTION std::string download_hint(std::string_view text) {
  if (text.starts_with("version https://git-lfs"))
    return "\n  This is a Git LFS pointer, not the file itself: run `git lfs pull`, or download the file "
           "again.";
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n\xef\xbb\xbf"), text.size()));
  std::string begin(text.substr(0, 14));
  for (char& c : begin)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  if (begin.starts_with("<!doctype html") || begin.starts_with("<html") || begin.starts_with("<head"))
    return "\n  This is a web page, not the file itself: the address was wrong, or the model asks for a "
           "login. "
           "Download the file again.";
  return {};
}

} // namespace transept::inline TRANSEPT_ABI
