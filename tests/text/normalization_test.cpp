// text/normalization.hpp, against Python's unicodedata (scripts/make_normalization_fixture.py).
#include <support/catch.hpp>

#include <sstream>
#include <string>

#include <support/paths.hpp>
#include <support/temporary_folder.hpp>

#include <transept/text/normalization.hpp>

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

TEST_CASE("marks go, and spacing ones stay") {
  CHECK(without_marks(nfd("Café Ångström")) == "Cafe Angstrom");
  CHECK(without_marks("क\u093f") == "क\u093f"); // a vowel sign, of category Mc
}

TEST_CASE("characters of words are letters, marks, digits and connectors") {
  for (const char32_t each : {U'a', U'é', U'7', U'_', U'\u0301', U'中', U'\u200d'})
    CHECK(is_word_character(each));
  for (const char32_t each : {U' ', U'-', U'½', U'…', U'\n', U'\U0001f600'})
    CHECK_FALSE(is_word_character(each));
}
