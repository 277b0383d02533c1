#include <support/catch.hpp>

#include <algorithm>
#include <numeric>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <support/byte_tokenizer.hpp>
#include <support/temporary_folder.hpp>
#include <transept/core/display.hpp>
#include <transept/core/error.hpp>
#include <transept/core/json.hpp>
#include <transept/text/vocabulary_files.hpp>

#include "text_support.hpp"

using namespace transept;
using support::small_tokenizer;
using tokens = std::vector<token_id>;

TEST_CASE("the small vocabulary gives the tokens that an independent tokenizer gave") {
  const json cases =
      parse_json(support::read_file(support::fixture("text/encodings.json")), "encodings.json");
  REQUIRE(cases.size() > 300);
  for (const json& example : cases) {
    const std::string text = example["text"];
    INFO(quoted(text));
    const tokens ids = small_tokenizer().encode(text);
    CHECK(ids == example["ids"].get<tokens>());
    CHECK(small_tokenizer().decode(ids) == text);
  }
}

TEST_CASE("the shipped model's folder has a tokenizer of 1024 tokens") {
  const tokenizer shipped = load_tokenizer(support::shipped_model());
  CHECK(shipped.vocabulary_size() == 1024);
  CHECK(shipped.end_of_text() == 1023);
  CHECK(shipped.encode("ROMEO:\n") == tokens{858, 25, 198});
  CHECK(shipped.bytes(198) == "\n");
}

TEST_CASE("decoding gives the bytes back, whatever they are") {
  support::random_text random(5);
  for (int i = 0; i < 3000; ++i) {
    const std::string text = i % 2 ? random(random.below(30)) : random.bytes(random.below(200));
    const auto mode = i % 4 < 2 ? special_tokens::as_text : special_tokens::allowed;
    REQUIRE(small_tokenizer().decode(small_tokenizer().encode(text, mode)) == text);
  }
}

TEST_CASE("a special token is found only where special tokens are allowed") {
  const tokenizer& small = small_tokenizer();
  const token_id end = small.end_of_text().value();
  CHECK(end == static_cast<token_id>(small.vocabulary_size()) - 1);
  CHECK(small.bytes(end) == "<|endoftext|>");
  const std::string text = "the <|endoftext|> the";
  const tokens as_text = small.encode(text), allowed = small.encode(text, special_tokens::allowed);
  CHECK(std::ranges::count(as_text, end) == 0);
  // What comes before it ends there: its last space stays alone, as at the end of a text.
  tokens expected = small.encode("the ");
  expected.push_back(end);
  for (const token_id id : small.encode(" the")) expected.push_back(id);
  CHECK(allowed == expected);
  CHECK(small.decode(as_text) == text);
  CHECK(small.decode(allowed) == text);
  CHECK(small.encode("<|endoftext|><|endoftext|>", special_tokens::allowed) == tokens{end, end});
  CHECK(small.encode("<|endoftext|", special_tokens::allowed) == small.encode("<|endoftext|"));
}

TEST_CASE("of added tokens the leftmost is taken, and the longest that begins there") {
  const auto with =
      support::byte_tokenizer({"<a>", "<a><b>", "b><c", "xx", "word"},
                              {{256, true}, {257, true}, {258, true}, {259, true}, {260, false}});
  const auto encode = [&](const char* text) { return with.encode(text, special_tokens::allowed); };
  CHECK(encode("<a>") == tokens{256});
  CHECK(encode("<a><b>") == tokens{257});
  CHECK(encode("<a><b><c>") == tokens{257, '<', 'c', '>'});
  CHECK(encode("<a><b") == tokens{256, '<', 'b'});
  CHECK(encode("<b><c") == tokens{'<', 258});
  CHECK(encode("xxx") == tokens{259, 'x'});
  CHECK(encode("<<a>") == tokens{'<', 256});
  // One that is added but not special is found in any text.
  CHECK(with.encode("<a>word") == tokens{'<', 'a', '>', 260});
}

TEST_CASE("an id that is not in the vocabulary is an error with its number") {
  const tokenizer& small = small_tokenizer();
  const auto size = static_cast<token_id>(small.vocabulary_size());
  CHECK_THROWS_AS(small.bytes(size), tokenizer_error);
  CHECK_THROWS_AS(small.bytes(-1), tokenizer_error);
  CHECK_THROWS_AS(small.bytes(std::numeric_limits<token_id>::min()), tokenizer_error);
  CHECK_THROWS_AS(small.decode(tokens{0, -1}), tokenizer_error);
  CHECK(small.decode(tokens{0, size, 1}) ==
        small.decode(tokens{0, 1})); // of a model with a padded vocabulary
  CHECK_THROWS_WITH(small.bytes(-7), Catch::ContainsSubstring("token id -7 is not in the vocabulary") &&
                                         Catch::ContainsSubstring("657 tokens"));
  CHECK(small.decode(tokens{}) == "");
}

TEST_CASE("ids may be laid out in any order") {
  json table = parse_json(support::read_file(support::fixture("text/small/vocab.json")), "vocab.json");
  std::vector<token_id> new_ids(table.size());
  std::iota(new_ids.begin(), new_ids.end(), 0);
  std::shuffle(new_ids.begin(), new_ids.end(), std::mt19937(6));
  for (auto& [token, id] : table.items()) id = new_ids[id.get<std::size_t>()];
  const tokenizer shuffled(
      read_vocabulary({"vocab.json", table.dump()},
                      {"merges.txt", support::read_file(support::fixture("text/small/merges.txt"))}));
  support::random_text random(7);
  for (int i = 0; i < 300; ++i) {
    const std::string text = "the choir and " + random(20);
    tokens expected = small_tokenizer().encode(text, special_tokens::allowed);
    for (token_id& id : expected) id = new_ids[static_cast<std::size_t>(id)];
    REQUIRE(shuffled.encode(text, special_tokens::allowed) == expected);
    REQUIRE(shuffled.decode(expected) == text);
  }
  CHECK(shuffled.end_of_text() == new_ids.back());
}

TEST_CASE("a tokenizer is a value: copies and moved ones work alone") {
  tokenizer first = load_tokenizer(support::fixture("text/small"));
  const tokens ids = first.encode("The transept crosses the nave");
  const tokenizer copy = first;
  const std::string_view bytes = first.bytes(ids[0]);
  const tokenizer moved = std::move(first);
  CHECK(bytes.data() == moved.bytes(ids[0]).data());
  CHECK(moved.encode("The transept crosses the nave") == ids);
  CHECK(copy.decode(ids) == "The transept crosses the nave");
}

TEST_CASE("many threads may encode with one tokenizer") {
  const std::string text = support::random_text(8)(3000) + support::repeated("a", 5000);
  const tokens expected = small_tokenizer().encode(text);
  std::vector<tokens> found(4);
  {
    std::vector<std::jthread> threads;
    for (tokens& result : found) threads.emplace_back([&] { result = small_tokenizer().encode(text); });
  }
  for (const tokens& result : found) CHECK(result == expected);
}

// Were any of these quadratic, the test would not end in time.
TEST_CASE("a megabyte of anything is encoded") {
  for (const std::string_view part : {"a", " ", "\n", "😁", "\xff", "a ", "  a", "ab", "0", "'s",
                                      "<|endoftext|", "<", "<|endoftext|>", "\u3000", "!"}) {
    const std::string text = support::repeated(part, 1u << 20);
    INFO(quoted(part));
    const tokens ids = small_tokenizer().encode(text, special_tokens::allowed);
    CHECK(small_tokenizer().decode(ids) == text);
  }
  const auto nested = support::byte_tokenizer({support::repeated("a", 50000) + "b"}, {{256, true}});
  const std::string text = support::repeated("a", 1u << 20);
  CHECK(nested.encode(text, special_tokens::allowed).size() == text.size());
}
