// What several of the text tests need: characters, random texts, the small vocabulary.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include <support/paths.hpp>
#include <transept/io/load_tokenizer.hpp>

namespace support {

inline std::string utf8(std::uint32_t code) {
  const auto byte = [](std::uint32_t value) { return static_cast<char>(value); };
  const auto next = [&](unsigned shift) { return byte(0x80u | ((code >> shift) & 0x3fu)); };
  if (code < 0x80) return {byte(code)};
  if (code < 0x800) return {byte(0xc0u | code >> 6), next(0)};
  if (code < 0x10000) return {byte(0xe0u | code >> 12), next(6), next(0)};
  return {byte(0xf0u | code >> 18), next(12), next(6), next(0)};
}

/// Texts in which every rule of the pattern meets every other; one in eight parts is no UTF-8.
class random_text {
public:
  explicit random_text(unsigned seed) : engine_(seed) {}

  std::size_t below(std::size_t end) { return static_cast<std::size_t>(engine_() % end); }

  std::string operator()(std::size_t parts) {
    static constexpr std::array<std::string_view, 40> usual = {
        "'",  "'s",  "'t",  "'re",    "'ve",    "'m",     "'ll",    "'d",     "'S",         "l",
        "e",  "the", "a",   "Z",      "é",      "я",      "我",     "ª",      "0",          "42",
        "½",  "Ⅷ",   "٣",   "𝟎",      " ",      "  ",     " ",      "\n",     "\t",         "\r",
        "\v", "!",   "...", "\u0301", "\u00a0", "\u3000", "\u2028", "\u200b", "\U0001f601", "\x1c"};
    static constexpr std::array<std::string_view, 10> broken = {
        "\x80",         "\xff",     "\xc3",     "\xe2\x82", "\xf0\x9f\x98",
        "\xed\xa0\x80", "\xc0\x80", "\xf4\x90", "\xa0",     "\xe2(\xa1"};
    std::string text;
    for (std::size_t i = 0; i < parts; ++i) {
      switch (below(8)) {
      case 0:
        text += broken[below(broken.size())];
        break;
      case 1:
        text += utf8(random_code_point());
        break;
      default:
        text += usual[below(usual.size())];
      }
    }
    return text;
  }

  std::string bytes(std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += static_cast<char>(below(256));
    return text;
  }

private:
  std::uint32_t random_code_point() {
    const auto code = static_cast<std::uint32_t>(below(2) ? below(0x110000) : below(0x3100));
    return code >= 0xd800 && code < 0xe000 ? 0x20 : code;
  }

  std::mt19937 engine_;
};

inline std::string repeated(std::string_view part, std::size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += part;
  return text;
}

/// The vocabulary of fixtures/text/small: 657 tokens, ids as GPT-2 lays them out, the last is <|endoftext|>.
inline const transept::tokenizer& small_tokenizer() {
  static const transept::tokenizer tokenizer = transept::load_tokenizer(fixture("text/small"));
  return tokenizer;
}

} // namespace support
