// text/character_map.hpp: tables that are made here, and what is none.
#include <support/catch.hpp>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/text/character_map.hpp>

#include "sentencepiece_support.hpp"
#include "text_support.hpp"

using namespace transept;
using Catch::ContainsSubstring;

namespace {

using table = std::map<std::string, std::string>;

character_map read(const std::string& bytes) { return character_map(bytes, "model"); }

/// An array of units by hand: label, offset, whether a leaf follows.
std::string array_of(const std::vector<std::uint32_t>& units,
                     const std::string& values = std::string("x\0", 2)) {
  std::string bytes = support::little_endian(static_cast<std::uint32_t>(4 * units.size()));
  for (const std::uint32_t unit : units) bytes += support::little_endian(unit);
  return bytes + values;
}

} // namespace

TEST_CASE("a table of characters finds the longest and the shortest string, as looking at each does") {
  support::random_text random(7);
  for (int round = 0; round < 40; ++round) {
    table pairs;
    for (std::size_t n = 1 + random.below(12); n-- > 0;) {
      std::string key;
      for (std::size_t i = 1 + random.below(4); i-- > 0;)
        key += std::vector<std::string>{"a", "b", "é", "\u0301", "ﬁ", "😀"}[random.below(6)];
      pairs[key] = random.below(4) == 0 ? "" : random(random.below(3)) + "v";
      for (char& each : pairs[key]) each = each == '\0' ? ' ' : each;
    }
    const character_map made = read(support::character_map_of(pairs));
    for (int i = 0; i < 60; ++i) {
      std::string text;
      for (std::size_t n = random.below(6); n-- > 0;)
        text += std::vector<std::string>{"a", "b", "é", "\u0301", "ﬁ", "😀", "x", "\xff"}[random.below(8)];
      CAPTURE(text);
      std::vector<std::pair<std::string, std::string>> found;
      for (const auto& [key, value] : pairs) // in order of length, as one is the beginning of the next
        if (text.starts_with(key)) found.emplace_back(key, value);
      const auto longest = made.longest(text), shortest = made.shortest(text);
      REQUIRE(longest.has_value() == !found.empty());
      REQUIRE(shortest.has_value() == !found.empty());
      if (found.empty()) continue;
      CHECK(longest->text == found.back().second);
      CHECK(longest->length == found.back().first.size());
      CHECK(shortest->text == found.front().second);
      CHECK(shortest->length == found.front().first.size());
    }
  }
  CHECK_FALSE(character_map().longest("a"));
  CHECK(character_map().apply_to_clusters("e\u0301") == "e\u0301");
}

TEST_CASE("grapheme clusters go as a whole where the table knows their beginning") {
  const character_map made = read(support::character_map_of(
      {{"e\u0301", "é"}, {"ﬁ", "fi"}, {"\r", " "}, {"\n", " "}, {"①", "1"}, {"x", "y"}, {"\u0301", "'"}}));
  const auto applied = [&](std::string_view text) { return made.apply_to_clusters(text); };
  CHECK(applied("e\u0301e") == "ée");
  CHECK(applied("ﬁ\u0301a") == "fia");    // 5 bytes: the accent is lost
  CHECK(applied("\r\n") == " ");          // one cluster
  CHECK(applied("\n\u0301") == " '");     // a control character joins nothing
  CHECK(applied("①\u20e3") == "1\u20e3"); // 6 bytes: each character goes alone
  CHECK(applied("z\u0301") == "z'");      // nothing of the table begins so: each alone
  CHECK(applied("x\u0301\u0302") == "y"); // 5 bytes
  CHECK(applied("x\u0301\u0301\u0302") == "y''\u0302");
  CHECK(applied("xx x\xff") == "yy y\xff");
  CHECK(applied("\u0600x") == "\u0600y"); // joined, but its beginning is no key
  CHECK(applied("") == "");
}

TEST_CASE("a table that is none ends in an error, whatever is wrong with it") {
  const std::string good = support::character_map_of({{"ab", "x"}, {"é", "longer"}});
  CHECK(read(good).longest("abc")->length == 2);
  for (std::size_t n = 1; n < good.size(); n += n < 16 ? 1 : 37) {
    try {
      (void)read(good.substr(0, n)).longest("ab");
    } catch (const format_error& damage) {
      CHECK_THAT(damage.what(), ContainsSubstring("model: ") && ContainsSubstring("precompiled_charsmap"));
    }
  }
  CHECK_THROWS_WITH(read("abc"), ContainsSubstring("cut off"));
  CHECK_THROWS_WITH(read(std::string("\xff\xff\xff\xff", 4)), ContainsSubstring("cut off"));
  // Unit 0 leads to base 0; 'a' is at 97, whose offset leads to base 0 again.
  std::vector<std::uint32_t> units(256, 0x80000000u);
  units[0] = 0;
  units['a'] = 'a' | std::uint32_t{'a'} << 10;
  CHECK_THROWS_WITH(read(array_of(units)), ContainsSubstring("strings without end"));
  units['a'] = 'a' | 0x100u | std::uint32_t{'a' ^ 200u} << 10; // a leaf at 200
  units[200] = 0x80000000u;
  CHECK(read(array_of(units)).longest("a")->text == "x");
  CHECK_THROWS_WITH(read(array_of(units, "")), ContainsSubstring("behind its end"));
  units[200] = 0x80000000u | 2u;
  CHECK_THROWS_WITH(read(array_of(units)), ContainsSubstring("behind its end"));
  units['a'] = 'a' | 0x100u | 300u << 10;
  CHECK_THROWS_WITH(read(array_of(units)), ContainsSubstring("without a replacement"));
  units['a'] = 'a' | 0x100u | std::uint32_t{'a' ^ 200u} << 10;
  units[200] = 0x80000000u;
  CHECK_THROWS_WITH(read(array_of(units, std::string(5000, 'x'))), ContainsSubstring("more than 4096 bytes"));
}

TEST_CASE("a damaged table ends in an error or in one that works") {
  support::random_text random(5);
  const std::string good = support::character_map_of({{"ab", "x"}, {"é", "longer"}, {"e\u0301", "é"}});
  const std::string text = "ab é e\u0301 abab";
  for (int i = 0; i < 3000; ++i) {
    std::string bytes = good;
    for (std::size_t n = 1 + random.below(4); n-- > 0;)
      bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
    try {
      (void)read(bytes).apply_to_clusters(text);
    } catch (const format_error&) {
    }
  }
}
