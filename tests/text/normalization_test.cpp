// text/normalization.hpp, against Python's unicodedata (scripts/make_normalization_fixture.py).
#include <support/catch.hpp>

#include <sstream>
#include <string>
#include <vector>

#include <support/paths.hpp>
#include <support/temporary_folder.hpp>

#include <transept/text/impl/normalization_steps.hpp>
#include <transept/text/normalization.hpp>

#include "text_support.hpp"

using namespace transept;

namespace {

std::string from_hexadecimal(const std::string& digits) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    bytes += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  return bytes;
}

} // namespace

TEST_CASE("texts are normalized as Python does") {
  std::istringstream lines(support::read_file(support::fixture("text/normalization.txt")));
  std::string text, c, d, kc, lower;
  std::size_t count = 0;
  while (lines >> text >> c >> d >> kc >> lower) {
    CAPTURE(text);
    const std::string given = from_hexadecimal(text);
    REQUIRE(nfc(given) == from_hexadecimal(c));
    REQUIRE(nfd(given) == from_hexadecimal(d));
    REQUIRE(nfkc(given) == from_hexadecimal(kc));
    REQUIRE(lower_case(given) == from_hexadecimal(lower));
    REQUIRE(nfc(from_hexadecimal(d)) == from_hexadecimal(c));
    REQUIRE((!is_surely_nfc(given) || text == c));
    ++count;
  }
  CHECK(count == 1500);
}

TEST_CASE("what is sure to be composed is told without looking far") {
  for (const char* text : {"", "plain", "Führer", "中文", "한국어", "нещо", "\xff\x80", "😀"})
    CHECK(is_surely_nfc(text));
  CHECK_FALSE(is_surely_nfc("e\u0301"));
  CHECK(nfc("e\u0301") == "é");
  CHECK(nfc("\xff"
            "e\u0301\x80") == "\xffé\x80"); // bytes that are no UTF-8 stay
  CHECK(nfd("\xcc") == "\xcc");
}

TEST_CASE("only parts of a text are normalized, as if it were all of it") {
  support::random_text random(17);
  const auto in_one = [](const std::string& text, bool compatible, bool composes) {
    std::vector<std::uint32_t> characters;
    detail::for_each_character(text,
                               [&](std::uint32_t each) { detail::decompose(each, compatible, characters); });
    detail::order_marks(characters);
    if (composes) detail::compose(characters);
    std::string out;
    detail::append_in_utf8(characters, out);
    return out;
  };
  for (int i = 0; i < 20000; ++i) {
    std::string text = random(random.below(4));
    for (std::size_t n = random.below(8); n-- > 0;)
      text += std::vector<std::string>{"e",  "\u0301", "\u0323", "é",    "ǟ", "\u1100", "\u1161", "\u11a8",
                                       "가", "각",     "\u212b", "ﬁ",    "①", "\u09c7", "\u09be", "\u0344",
                                       "क",  "\u093c", "\u0958", "\xcc", "ｶ", "ﾞ"}[random.below(22)];
    CAPTURE(text);
    REQUIRE(nfc(text) == in_one(text, false, true));
    REQUIRE(nfd(text) == in_one(text, false, false));
    REQUIRE(nfkc(text) == in_one(text, true, true));
    REQUIRE(nfkd(text) == in_one(text, true, false));
  }
}

TEST_CASE("marks go, and spacing ones stay") {
  CHECK(without_marks(nfd("Café Ångström")) == "Cafe Angstrom");
  CHECK(without_marks("क\u093f") == "क\u093f"); // a vowel sign, of category Mc
  CHECK(without_all_marks(nfkd("Café क\u093f①")) == "Cafe क1");
}

TEST_CASE("characters of words are letters, marks, digits and connectors") {
  for (const char32_t each : {U'a', U'é', U'7', U'_', U'\u0301', U'中', U'\u200d'})
    CHECK(is_word_character(each));
  for (const char32_t each : {U' ', U'-', U'½', U'…', U'\n', U'\U0001f600'})
    CHECK_FALSE(is_word_character(each));
}
