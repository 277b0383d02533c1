// How bytes are written, and read, as visible characters (text/byte_alphabet.hpp).
#pragma once

#include <array>
#include <cstdint>

#include <transept/text/byte_alphabet.hpp>
#include <transept/text/unicode.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

constexpr bool is_written_as_itself(std::uint32_t byte) {
  return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
}

/// The code point each byte is written as.
inline constexpr auto byte_to_symbol = [] {
  std::array<std::uint32_t, 256> symbols{};
  std::uint32_t next = 0x100;
  for (std::uint32_t byte = 0; byte < 256; ++byte) symbols[byte] = is_written_as_itself(byte) ? byte : next++;
  return symbols;
}();

/// The byte each code point below 0x144 stands for, or -1.
inline constexpr auto symbol_to_byte = [] {
  std::array<std::int16_t, 0x144> bytes{};
  bytes.fill(-1);
  for (std::uint32_t byte = 0; byte < 256; ++byte)
    bytes[byte_to_symbol[byte]] = static_cast<std::int16_t>(byte);
  return bytes;
}();

} // namespace detail

TRANSEPT_FUNCTION std::string to_byte_alphabet(std::string_view bytes) {
  std::string symbols;
  for (const char c : bytes)
    append_utf8(symbols, static_cast<char32_t>(detail::byte_to_symbol[static_cast<unsigned char>(c)]));
  return symbols;
}

TRANSEPT_FUNCTION std::optional<std::string> from_byte_alphabet(std::string_view symbols) {
  std::string bytes;
  while (!symbols.empty()) {
    const character first = first_character(symbols);
    if (first.code_point >= detail::symbol_to_byte.size()) return std::nullopt;
    const int byte = detail::symbol_to_byte[first.code_point];
    if (byte < 0) return std::nullopt;
    bytes += static_cast<char>(byte);
    symbols.remove_prefix(first.length);
  }
  return bytes;
}

} // namespace transept::inline TRANSEPT_ABI
