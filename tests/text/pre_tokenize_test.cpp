#include <support/catch.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <transept/text/pre_tokenize.hpp>

#include "text_support.hpp"

using namespace transept;

namespace {

using pieces = std::vector<std::string>;

pieces cut(std::string_view text) {
  pieces result;
  pre_tokenize(text, [&](std::string_view piece) { result.emplace_back(piece); });
  return result;
}

// The pattern again, as a backtracking matcher reads it: each alternative is a list of atoms over characters,
// tried from the longest repetition down, the first alternative that matches wins.
namespace backtracking {

using characters = std::vector<std::string>; // one each, broken bytes alone
using test = std::function<bool(const std::string&)>;

struct atom {
  test matches;
  std::size_t least, most;
};

struct alternative {
  std::vector<atom> atoms;
  bool not_before_black = false; // (?!\S) at the end
};

characters split(std::string_view text) {
  characters result;
  while (!text.empty()) {
    const std::size_t length = first_character(text).length;
    result.emplace_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return result;
}

bool is_kind(const std::string& c, character_class kind) {
  return class_of(first_character(c).code_point) == kind;
}

std::optional<std::size_t> match(const alternative& pattern, std::size_t index, const characters& text,
                                 std::size_t at) {
  if (index == pattern.atoms.size()) {
    const bool black = at < text.size() && !is_kind(text[at], character_class::space);
    if (pattern.not_before_black && black) return std::nullopt;
    return at;
  }
  const atom& next = pattern.atoms[index];
  std::size_t count = 0;
  while (count < next.most && at + count < text.size() && next.matches(text[at + count])) ++count;
  for (std::size_t taken = count + 1; taken-- > next.least;) {
    if (const auto end = match(pattern, index + 1, text, at + taken)) return end;
  }
  return std::nullopt;
}

const std::vector<alternative>& patterns() {
  static const std::vector<alternative> all = [] {
    std::vector<alternative> result;
    for (const std::string word : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"}) {
      alternative literal;
      for (const char c : word) {
        literal.atoms.push_back({[c](const std::string& x) { return x == std::string(1, c); }, 1, 1});
      }
      result.push_back(literal);
    }
    const atom maybe_space{[](const std::string& x) { return x == " "; }, 0, 1};
    const auto run_of = [](character_class kind) {
      return atom{[kind](const std::string& x) { return is_kind(x, kind); }, 1, static_cast<std::size_t>(-1)};
    };
    for (const auto kind : {character_class::letter, character_class::number, character_class::other}) {
      result.push_back({{maybe_space, run_of(kind)}});
    }
    result.push_back({{run_of(character_class::space)}, true});
    result.push_back({{run_of(character_class::space)}});
    return result;
  }();
  return all;
}

pieces cut(std::string_view whole) {
  const characters text = split(whole);
  pieces result;
  for (std::size_t at = 0; at < text.size();) {
    std::optional<std::size_t> end;
    for (const alternative& pattern : patterns()) {
      if ((end = match(pattern, 0, text, at))) break;
    }
    std::string piece;
    for (; at < end.value(); ++at) piece += text[at];
    result.push_back(piece);
  }
  return result;
}

} // namespace backtracking
} // namespace

TEST_CASE("words, numbers and punctuation take one space before them") {
  CHECK(cut("") == pieces{});
  CHECK(cut("Hello world") == pieces{"Hello", " world"});
  CHECK(cut(" Hello, 42 ½ times!!") == pieces{" Hello", ",", " 42", " ½", " times", "!!"});
  CHECK(cut("abc123def") == pieces{"abc", "123", "def"});
  CHECK(cut("a\u00a0b") == pieces{"a", "\u00a0", "b"});
  CHECK(cut("a\tb") == pieces{"a", "\t", "b"});
}

TEST_CASE("contractions are cut off where they are lower case and not inside punctuation") {
  CHECK(cut("I'll don't y'all") == pieces{"I", "'ll", " don", "'t", " y", "'", "all"});
  CHECK(cut("DON'T") == pieces{"DON", "'", "T"});
  CHECK(cut("'s''s 's") == pieces{"'s", "''", "s", " '", "s"});
  CHECK(cut("'re've'd'm'llx") == pieces{"'re", "'ve", "'d", "'m", "'ll", "x"});
  CHECK(cut("'l'v'r") == pieces{"'", "l", "'", "v", "'", "r"});
  CHECK(cut("'") == pieces{"'"});
  CHECK(cut("'restaurant") == pieces{"'re", "staurant"});
}

TEST_CASE("a run of white space leaves its last character to what follows") {
  CHECK(cut("   ") == pieces{"   "});
  CHECK(cut("   a") == pieces{"  ", " a"});
  CHECK(cut("\n\na") == pieces{"\n", "\n", "a"});
  CHECK(cut("a\n") == pieces{"a", "\n"});
  CHECK(cut(" \n") == pieces{" \n"});
  CHECK(cut("\n a") == pieces{"\n", " a"});
  CHECK(cut(" \na") == pieces{" ", "\n", "a"});
  CHECK(cut("\u3000\u3000a") == pieces{"\u3000", "\u3000", "a"});
  CHECK(cut("\r\n\r\nx") == pieces{"\r\n\r", "\n", "x"});
}

TEST_CASE("bytes that are not UTF-8 are cut as punctuation is") {
  CHECK(cut("a\xff\xfe b") == pieces{"a", "\xff\xfe", " b"});
  CHECK(cut(" \xe2\x82 ") == pieces{" \xe2\x82", " "});
  CHECK(cut("!\x80?") == pieces{"!\x80?"});
  CHECK(cut("\xc2\xa0\xa0") == pieces{"\xc2\xa0", "\xa0"}); // a no-break space, then a byte alone
}

TEST_CASE("pieces are those of a backtracking matcher of GPT-2's pattern") {
  support::random_text random(1);
  std::size_t different = 0;
  for (int i = 0; i < 20000; ++i) {
    const std::string text = random(1 + random.below(24));
    if (cut(text) == backtracking::cut(text)) continue;
    if (++different <= 3) UNSCOPED_INFO("differs: " << quoted(text));
  }
  CHECK(different == 0);
}

TEST_CASE("pieces of any bytes put together are the bytes") {
  support::random_text random(2);
  for (int i = 0; i < 2000; ++i) {
    const std::string text = random.bytes(random.below(100));
    std::string whole;
    for (const std::string& piece : cut(text)) {
      CHECK_FALSE(piece.empty());
      whole += piece;
    }
    CHECK(whole == text);
  }
}

// Were any of these quadratic, the test would not end in time.
TEST_CASE("pre-tokenizing four megabytes of anything ends") {
  for (const std::string_view part : {" ", "\n", " \n", "a", " a", "'", "'s", "''", "'l", "\u3000", "😁",
                                      "\xff", "\xe2\x82", "\xf0\x9f", "7", "!", "  x"}) {
    const std::string text = support::repeated(part, 4u << 20);
    std::size_t bytes = 0;
    pre_tokenize(text, [&](std::string_view piece) { bytes += piece.size(); });
    CHECK(bytes == text.size());
  }
}
