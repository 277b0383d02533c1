#include <support/catch.hpp>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include <transept/text/byte_alphabet.hpp>
#include <transept/text/unicode.hpp>

#include "text_support.hpp"

using namespace transept;
using namespace std::string_view_literals;

TEST_CASE("every code point has the class that Debian's unicode-data gives it") {
  const std::filesystem::path folder = "/usr/share/unicode";
  std::ifstream data(folder / "UnicodeData.txt"), properties(folder / "PropList.txt");
  if (!data || !properties) {
    std::cout << "SKIPPED: needs the package unicode-data\n";
    return;
  }
  std::vector<character_class> expected(0x110000, character_class::other);
  std::size_t first = 0;
  for (std::string line; std::getline(data, line);) {
    const std::size_t name = line.find(';') + 1, category = line.find(';', name) + 1;
    const std::size_t code = std::stoul(line, nullptr, 16);
    if (line.substr(0, category).ends_with(", First>;")) {
      first = code;
      continue;
    }
    if (!line.substr(0, category).ends_with(", Last>;")) first = code;
    const char major = line[category];
    const auto kind = major == 'L'   ? character_class::letter
                      : major == 'N' ? character_class::number
                                     : character_class::other;
    for (; first <= code; ++first) expected[first] = kind;
  }
  for (std::string line; std::getline(properties, line);) {
    if (line.find("; White_Space") == line.npos) continue;
    const std::size_t begin = std::stoul(line, nullptr, 16);
    const std::size_t dots = line.find("..");
    const std::size_t end = dots == line.npos ? begin : std::stoul(line.substr(dots + 2), nullptr, 16);
    for (std::size_t code = begin; code <= end; ++code) expected[code] = character_class::space;
  }
  std::size_t different = 0, letters = 0;
  for (std::uint32_t code = 0; code < expected.size(); ++code) {
    different += class_of(code) != expected[code];
    letters += class_of(code) == character_class::letter;
  }
  CHECK(different == 0);
  CHECK(letters > 130000);
}

TEST_CASE("well-known characters are letters, numbers, white space or none of these") {
  for (const std::uint32_t letter :
       {0x61u, 0x5au, 0xaau, 0xe9u, 0x3b1u, 0x431u, 0x6211u, 0xac00u, 0x20000u}) {
    CHECK(class_of(letter) == character_class::letter);
  }
  for (const std::uint32_t number : {0x30u, 0xb2u, 0xbdu, 0x663u, 0x2167u, 0x3007u, 0x1d7ceu}) {
    CHECK(class_of(number) == character_class::number);
  }
  for (const std::uint32_t space : {0x20u, 0x09u, 0x0au, 0x0bu, 0x0cu, 0x0du, 0x85u, 0xa0u, 0x1680u, 0x2028u,
                                    0x202fu, 0x205fu, 0x3000u}) {
    CHECK(class_of(space) == character_class::space);
  }
  // Controls that Python's str.isspace takes for white space, marks, and characters that are just not shown.
  for (const std::uint32_t other : {0x00u, 0x1cu, 0x1fu, 0x27u, 0x301u, 0x180eu, 0x200bu, 0xfeffu, 0x1f601u,
                                    0xe0100u, 0x10ffffu, 0x110000u, character::not_utf8}) {
    CHECK(class_of(other) == character_class::other);
  }
}

TEST_CASE("each byte that belongs to no character is one of its own") {
  CHECK(first_character("\xc3\xa9").code_point == 0xe9);
  CHECK(first_character("\xe2\x82\xac").code_point == 0x20ac);
  CHECK(first_character("\xf0\x9f\x98\x81").code_point == 0x1f601);
  CHECK(first_character("\xf4\x8f\xbf\xbf").code_point == 0x10ffff);
  CHECK(first_character("\0"sv).code_point == 0);
  for (const std::string_view bad :
       {"\x80"sv, "\xbf"sv, "\xc0\x80"sv, "\xc1\xbf"sv, "\xe0\x9f\xbf"sv, "\xed\xa0\x80"sv,
        "\xf0\x8f\xbf\xbf"sv, "\xf4\x90\x80\x80"sv, "\xf5\x80\x80\x80"sv, "\xff"sv, "\xc3"sv, "\xe2\x82"sv,
        "\xf0\x9f\x98"sv, "\xc3("sv, "\xe2(\x82"sv}) {
    CHECK(first_character(bad).code_point == character::not_utf8);
    CHECK(first_character(bad).length == 1);
  }
}

TEST_CASE("all code points are read back from their UTF-8") {
  std::size_t wrong = 0;
  for (std::uint32_t code = 0; code < 0x110000; ++code) {
    if (code >= 0xd800 && code < 0xe000) continue;
    const std::string text = support::utf8(code) + "x";
    const character found = first_character(text);
    wrong += found.code_point != code || found.length + 1 != text.size();
    wrong += classify(text).kind != class_of(code) || classify(text).length != found.length;
  }
  CHECK(wrong == 0);
}

TEST_CASE("an incomplete suffix is what more bytes could make a character") {
  CHECK(incomplete_suffix("") == 0);
  CHECK(incomplete_suffix("abc") == 0);
  CHECK(incomplete_suffix("a\xc3") == 1);
  CHECK(incomplete_suffix("a\xc3\xa9") == 0);
  CHECK(incomplete_suffix("\xe2\x82") == 2);
  CHECK(incomplete_suffix("\xe2\x82\xac") == 0);
  CHECK(incomplete_suffix("x\xf0\x9f\x98") == 3);
  CHECK(incomplete_suffix("\xf0\x9f\x98\x81") == 0);
  // These can never become UTF-8.
  CHECK(incomplete_suffix("\x80") == 0);
  CHECK(incomplete_suffix("\xc0") == 0);
  CHECK(incomplete_suffix("\xff") == 0);
  CHECK(incomplete_suffix("\xed\xa0") == 0);
  CHECK(incomplete_suffix("\xe0\x80") == 0);
  CHECK(incomplete_suffix("\xf4\x90") == 0);
  CHECK(incomplete_suffix("\xf0\x9f\xff") == 0);
  CHECK(incomplete_suffix("\xe2\xc3") == 1);
}

TEST_CASE("the byte alphabet is GPT-2's and goes there and back") {
  CHECK(to_byte_alphabet(" the\n") == "\u0120the\u010a");
  CHECK(to_byte_alphabet("\xff"sv) == "\u00ff");
  CHECK(to_byte_alphabet("\0\x7f\x80\xad"sv) == "\u0100\u0121\u0122\u0143");
  CHECK(from_byte_alphabet("\u0120the\u010a") == " the\n");
  CHECK(from_byte_alphabet("") == "");
  for (const std::string_view outside : {" ", "a b", "\u0144", "\u00ad", "\u00a0", "\x80", "日", "\n"}) {
    CHECK_FALSE(from_byte_alphabet(outside));
  }
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  CHECK(from_byte_alphabet(to_byte_alphabet(all)) == all);
}
