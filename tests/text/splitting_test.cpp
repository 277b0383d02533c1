// text/splitting.hpp: every step against its pattern, read by tests/reference/regular_expression.hpp.
#include <support/catch.hpp>

#include <string>
#include <vector>

#include <reference/regular_expression.hpp>

#include <transept/core/random.hpp>
#include <transept/text/normalization.hpp>
#include <transept/text/splitting.hpp>

using namespace transept;

namespace {

struct pattern {
  splitting step;
  std::string_view text;
};

// As the tokenizer.json files have them.
const std::vector<pattern> patterns{
    {splitting::gpt2, R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)"},
    {splitting::llama3, R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|)"
                        R"( ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
    {splitting::qwen2, R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|)"
                       R"( ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
    {splitting::bloom, R"( ?[^(\s|[.,!?…。，、।۔،])]+)"},
    {splitting::each_digit, R"(\p{N})"},
    {splitting::three_digits, R"([0-9][0-9][0-9])"},
    {splitting::numbers, R"(\p{N}{1,3})"},
    {splitting::punctuation, R"([!-/:-@\[-`{-~\p{P}]+)"},
    {splitting::line_breaks, R"([\r\n])"},
    {splitting::letters, R"(\s?\p{L}+)"},
    {splitting::marks_of_punctuation, R"(\s?\p{P}+)"},
    {splitting::ideographs, R"([一-龥ࠀ-一가-퟿]+)"},
    {splitting::ideographs_and_kana, R"([一-龥぀-ゟ゠-ヿ]+)"},
    {splitting::deepseek,
     R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+|)"
     R"( ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
    {splitting::spaces, R"([ ▁][^ ▁]*)"},
};

std::vector<std::string> pieces_of(const splitter& how, std::string_view text) {
  std::vector<std::string> pieces;
  how.split(text, [&](std::string_view piece) { pieces.emplace_back(piece); });
  return pieces;
}

/// What the pattern matches, and what lies between.
std::vector<std::string> pieces_by(const reference::regular_expression& pattern, std::string_view text) {
  std::vector<std::string> pieces;
  std::size_t gap = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = pattern.match(text, at);
    if (length == text.npos || length == 0) {
      at += first_character(text.substr(at)).length;
      continue;
    }
    if (gap < at) pieces.emplace_back(text.substr(gap, at - gap));
    pieces.emplace_back(text.substr(at, length));
    gap = at += length;
  }
  if (gap < text.size()) pieces.emplace_back(text.substr(gap));
  return pieces;
}

/// Short texts of what patterns tell apart, with runs of it.
std::string random_text(random_stream& random) {
  static const std::vector<std::string> parts{" ",
                                              "  ",
                                              "\n",
                                              "\r\n",
                                              "\t",
                                              "\xc2\xa0",
                                              "\xe3\x80\x80",
                                              "a",
                                              "Zq",
                                              "é",
                                              "ж",
                                              "中",
                                              "文字",
                                              "か",
                                              "한",
                                              "ࠀ",
                                              "1",
                                              "23",
                                              "456",
                                              "½",
                                              "٣",
                                              "²",
                                              "'",
                                              "'s",
                                              "'LL",
                                              "'ſ",
                                              "’s",
                                              ".",
                                              "!?",
                                              "…",
                                              "。",
                                              "$",
                                              "+=",
                                              "€",
                                              "_",
                                              "-",
                                              "(",
                                              "|",
                                              "\\",
                                              "e\u0301",
                                              "\u0301",
                                              "\u0903",
                                              "▁",
                                              "😀",
                                              "\x80",
                                              "\xff",
                                              std::string("\0", 1),
                                              "\u200d",
                                              "ǅ",
                                              "ª",
                                              "।",
                                              "／"};
  std::string text;
  const std::uint64_t count = random() % 12;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (random() % 8 != 0) {
      text += parts[random() % parts.size()];
      continue;
    }
    char32_t any = static_cast<char32_t>(random() % 0x3000);
    if (random() % 4 == 0) any = static_cast<char32_t>(random() % 0x110000);
    if (any < 0xd800 || any > 0xdfff) append_utf8(text, any);
  }
  return text;
}

} // namespace

TEST_CASE("every step cuts as its pattern does") {
  for (const pattern& each : patterns) {
    CAPTURE(each.text);
    const splitter how({each.step});
    const reference::regular_expression expression(each.text);
    random_stream random(7, static_cast<std::uint64_t>(each.step));
    for (int i = 0; i < 4000; ++i) {
      const std::string text = random_text(random);
      CAPTURE(text);
      REQUIRE(pieces_of(how, text) == pieces_by(expression, text));
    }
  }
}

TEST_CASE("words are what is between white space, and punctuation stands alone among BERT's") {
  random_stream random(11, 0);
  for (int i = 0; i < 20000; ++i) {
    const std::string text = random_text(random);
    std::vector<std::string> words, runs;
    bool in_word = false, in_run = false;
    for (std::string_view rest = text; !rest.empty();) {
      const character next = first_character(rest);
      const std::uint32_t c = next.code_point;
      const std::string own(rest.substr(0, next.length));
      rest.remove_prefix(next.length);
      const bool is_space = class_of(c) == character_class::space;
      const bool is_alone = kind_of(c) == character_kind::punctuation ||
                            (c > ' ' && c < 0x7f && class_of(c) == character_class::other);
      if (!is_space && in_run) runs.back() += own;
      if (!is_space && !in_run) runs.push_back(own);
      if (!is_space && in_word && !is_alone) words.back() += own;
      if (!is_space && !(in_word && !is_alone)) words.push_back(own);
      in_run = !is_space;
      in_word = !is_space && !is_alone;
    }
    CAPTURE(text);
    REQUIRE(pieces_of(splitter({splitting::words}), text) == words);
    REQUIRE(pieces_of(splitter({splitting::white_space}), text) == runs);
  }
}

TEST_CASE("steps cut what the steps before them left") {
  const splitter starcoder({splitting::each_digit, splitting::gpt2});
  CHECK(pieces_of(starcoder, "a 12 b's") == std::vector<std::string>{"a", " ", "1", "2", " b", "'s"});
  const splitter falcon({splitting::punctuation, splitting::gpt2, splitting::three_digits});
  CHECK(pieces_of(falcon, "x, 1234.5") == std::vector<std::string>{"x", ",", " ", "123", "4", ".", "5"});
  CHECK(pieces_of(splitter({splitting::words}), " Don't  go.") ==
        std::vector<std::string>{"Don", "'", "t", "go", "."});
  CHECK(pieces_of(splitter(), " as it is ") == std::vector<std::string>{" as it is "});
  CHECK(pieces_of(starcoder, "").empty());
}

TEST_CASE("a text cut where a splitter allows it gives the same pieces") {
  const std::vector<std::vector<splitting>> pipelines{
      {splitting::gpt2},
      {splitting::llama3},
      {splitting::qwen2},
      {splitting::bloom},
      {splitting::each_digit, splitting::gpt2},
      {splitting::punctuation, splitting::gpt2, splitting::three_digits},
      {splitting::line_breaks, splitting::letters, splitting::marks_of_punctuation, splitting::ideographs,
       splitting::each_digit},
      {splitting::numbers, splitting::ideographs_and_kana, splitting::deepseek},
      {splitting::spaces},
  };
  std::size_t cuts = 0;
  for (const auto& steps : pipelines) {
    const splitter how(steps);
    random_stream random(8);
    for (int i = 0; i < 3000; ++i) {
      const std::string text = random_text(random);
      const auto whole = pieces_of(how, text);
      for (std::size_t at = 1; at < text.size(); ++at) {
        if (!how.may_cut_before(text, at)) continue;
        ++cuts;
        auto parts = pieces_of(how, text.substr(0, at));
        for (auto& piece : pieces_of(how, text.substr(at))) parts.push_back(piece);
        CAPTURE(text, at);
        REQUIRE(parts == whole);
      }
    }
  }
  CHECK(cuts > 1000);
}
