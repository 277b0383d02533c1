// Vocabularies of characters.
#include <support/catch.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <support/temporary_folder.hpp>
#include <transept/core/error.hpp>
#include <transept/io/vocabulary_writer.hpp>
#include <transept/text/character_vocabulary.hpp>
#include <transept/text/unicode.hpp>
#include <transept/text/vocabulary_files.hpp>

#include "text_support.hpp"

using namespace transept;
using Catch::ContainsSubstring;

namespace {

vocabulary characters_of(std::string_view text) {
  character_set characters;
  characters.add(text);
  return character_vocabulary(characters);
}

} // namespace

TEST_CASE("a vocabulary of ASCII characters has them alone, in order") {
  const tokenizer tokenizer(characters_of("hello\nworld"));
  CHECK(tokenizer.vocabulary_size() == 8);
  CHECK(tokenizer.decode(std::vector<token_id>{0, 1, 2, 3, 4, 5, 6, 7}) == "\ndehlorw");
  CHECK(tokenizer.encode("low\n\nhe") == std::vector<token_id>{4, 5, 7, 0, 0, 3, 2});
  CHECK_FALSE(tokenizer.end_of_text());
}

TEST_CASE("every character of a text is one token, of however many bytes") {
  const std::string text = "aé я 日本語 e\u0301 😁😀 ½\xff\xc3 z";
  const vocabulary vocabulary = characters_of(text);
  const support::temporary_folder folder;
  write_vocabulary_files(vocabulary, folder.path());
  const tokenizer made(vocabulary), loaded = load_tokenizer(folder.path());
  std::vector<token_id> expected;
  std::string_view rest = text;
  character_set set;
  set.add(text);
  const std::vector<std::string> characters = set.characters();
  while (!rest.empty()) {
    const std::string_view bytes = rest.substr(0, first_character(rest).length);
    expected.push_back(static_cast<token_id>(std::ranges::find(characters, bytes) - characters.begin()));
    rest.remove_prefix(bytes.size());
  }
  CHECK(made.encode(text) == expected);
  CHECK(loaded.encode(text) == expected);
  CHECK(loaded.decode(expected) == text);
  support::random_text random(3);
  for (int round = 0; round < 200; ++round) {
    const std::string sample = random(1 + random.below(30));
    const tokenizer own(characters_of(sample));
    std::size_t count = 0, broken = 0;
    for (std::string_view left = sample; !left.empty();) {
      const character next = first_character(left);
      broken += next.code_point == character::not_utf8 ? 1 : 0;
      left.remove_prefix(next.length);
      ++count;
    }
    const std::size_t found = own.encode(sample).size();
    CHECK(found <= count); // the beginning of a character, no more, may be a token too
    CHECK(found + broken >= count);
    if (broken == 0) CHECK(found == count);
    CHECK(own.decode(own.encode(sample)) == sample);
  }
}

TEST_CASE("a character that the vocabulary lacks is an error that shows it") {
  const tokenizer tokenizer(characters_of("abc é"));
  CHECK_THROWS_AS(tokenizer.encode("abz"), tokenizer_error);
  CHECK_THROWS_WITH(tokenizer.encode("a bz"), "the vocabulary lacks a character of \" bz\"");
  CHECK_THROWS_WITH(tokenizer.encode("日"), ContainsSubstring("lacks a character of \"日\""));
  CHECK(tokenizer.encode("").empty());
}

TEST_CASE("only a vocabulary of characters may lack bytes") {
  const auto read = [](const char* tokens, const char* merges) {
    return tokenizer(read_vocabulary({"vocab.json", tokens}, {"merges.txt", merges}));
  };
  CHECK(read(R"({"a": 0, "b": 1})", "").encode("ba") == std::vector<token_id>{1, 0});
  CHECK(read(R"({"a": 0, "<|endoftext|>": 1})", "").end_of_text() == 1);
  CHECK_THROWS_WITH(read(R"({"a": 0, "b": 1, "ab": 2})", "a b"), ContainsSubstring("no token for byte 0"));
  CHECK_THROWS_WITH(read("{}", ""), ContainsSubstring("no token for byte 0"));
  CHECK_THROWS_WITH(read(R"({"<|endoftext|>": 0})", ""), ContainsSubstring("no token for byte 0"));
}

TEST_CASE("Shakespeare has nanoGPT's 65 characters") {
  const auto shared = support::shared_dir();
  if (!shared) return;
  const std::string text = support::read_file(*shared / "data" / "tinyshakespeare.txt");
  const tokenizer tokenizer(characters_of(text));
  CHECK(tokenizer.vocabulary_size() == 65);
  const auto ids = tokenizer.encode(text);
  CHECK(ids.size() == text.size());
  CHECK(
      std::vector<token_id>(ids.begin(), ids.begin() + 9) ==
      std::vector<token_id>{18, 47, 56, 57, 58, 1, 15, 47, 58}); // "First Cit", as nanoGPT's prepare.py says
}
