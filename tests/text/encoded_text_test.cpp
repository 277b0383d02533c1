// text/encoded_text.hpp: where tokens are in their text, against the offsets of Hugging Face's tokenizers,
// which count characters.
#include <support/catch.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <support/temporary_folder.hpp>

#include <transept/core/error.hpp>
#include <transept/core/json.hpp>
#include <transept/io/load_tokenizer.hpp>
#include <transept/text/encoded_text.hpp>
#include <transept/text/tokenizer_folder.hpp>
#include <transept/text/unicode.hpp>
#include <transept/text/vocabulary_files.hpp>

#include "text_support.hpp"

using namespace transept;
using offsets = std::vector<std::array<std::size_t, 2>>;

namespace {

/// Spans in characters.
offsets in_characters(std::string_view text, const std::vector<text_span>& spans) {
  std::vector<std::size_t> before(text.size() + 1); // characters before each byte
  for (std::size_t at = 0, count = 0; at < text.size(); ++count) {
    const std::size_t end = at + first_character(text.substr(at)).length;
    for (; at < end; ++at) before[at] = count;
    before[end] = count + 1;
  }
  offsets all;
  for (const text_span& span : spans) all.push_back({before[span.begin], before[span.end]});
  return all;
}

json read(const std::filesystem::path& path) { return parse_json(support::read_file(path), path.string()); }

} // namespace

TEST_CASE("spans are the offsets of Hugging Face's tokenizers") {
  const auto folder = support::fixture("text/trained");
  const json lines = read(folder / "lines.json");
  for (const char* name : {"char_bpe", "byte_fallback_bpe", "wordpiece", "unigram"}) {
    const tokenizer made = load_tokenizer(folder / name);
    const json expected = read(folder / name / "offsets.json");
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const std::string text = lines[i].get<std::string>();
      CAPTURE(name, text);
      const encoded_text found = encode_with_spans(made, text, special_tokens::allowed);
      CHECK(found.ids == made.encode(text, special_tokens::allowed));
      auto wanted = expected[i].get<offsets>();
      if (!made.rules().before.empty()) { // [CLS] and [SEP], which are made of nothing
        wanted.erase(wanted.begin());
        wanted.pop_back();
      }
      CHECK(in_characters(text, found.spans) == wanted);
    }
  }
}

TEST_CASE("spans of BERT's tokens go back through its normalizer") {
  const auto folder = support::fixture("text/bert");
  const tokenizer bert(read_vocabulary_lines({"vocab.txt", support::read_file(folder / "vocab.txt")}));
  const json texts = read(folder / "texts.json"), expected = read(folder / "offsets.json");
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::string text = texts[i].get<std::string>();
    CAPTURE(text);
    const encoded_text found = encode_with_spans(bert, text, special_tokens::allowed);
    CHECK(found.ids == bert.encode(text, special_tokens::allowed));
    auto wanted = expected[i].get<offsets>();
    wanted.erase(wanted.begin());
    wanted.pop_back();
    CHECK(in_characters(text, found.spans) == wanted);
  }
}

TEST_CASE("spans of GPT-2's tokens, bytes of characters among them") {
  const auto shared = support::shared_dir();
  if (!shared) return;
  const tokenizer gpt2 = load_tokenizer(*shared / "data" / "gpt2");
  const json texts = read(*shared / "oracle/tokenizer_gpt2/texts.json"),
             expected = read(*shared / "oracle/tokenizer_gpt2/offsets.json");
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const std::string text = texts[i].get<std::string>();
    CAPTURE(text);
    CHECK(in_characters(text, encode_with_spans(gpt2, text, special_tokens::allowed).spans) ==
          expected[i].get<offsets>());
  }
}

TEST_CASE("two texts become what Hugging Face's tokenizers make of them") {
  const auto folder = support::fixture("text");
  const tokenizer made = load_tokenizer(folder / "trained/wordpiece");
  const json lines = read(folder / "trained/lines.json"),
             pairs = read(folder / "trained/wordpiece/pairs.json");
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const std::string first = lines[i].get<std::string>(), second = lines[i + 20].get<std::string>();
    CAPTURE(first, second);
    const encoded_input found = encode_input(made, first, second);
    CHECK(found.ids == pairs[i]["ids"].get<std::vector<token_id>>());
    CHECK(found.token_types == pairs[i]["type_ids"].get<std::vector<int>>());
    CHECK(std::count(found.texts.begin(), found.texts.end(), -1) == 3);
  }

  const tokenizer bert(read_vocabulary_lines({"vocab.txt", support::read_file(folder / "bert/vocab.txt")}));
  const json texts = read(folder / "bert/texts.json"), short_pairs = read(folder / "bert/pairs.json");
  for (std::size_t i = 0; i < texts.size(); ++i) { // at most 8 tokens
    const std::string first = texts[i].get<std::string>(),
                      second = texts[(i + 1) % texts.size()].get<std::string>();
    CAPTURE(first, second);
    const encoded_input found = encode_input(bert, first, second, {.most_tokens = 8, .allows_special = true});
    CHECK(found.ids == short_pairs[i]["ids"].get<std::vector<token_id>>());
    CHECK(found.token_types == short_pairs[i]["type_ids"].get<std::vector<int>>());
  }
}

TEST_CASE("what is left out of texts that are too long is what was said, or an error") {
  const tokenizer bert(read_vocabulary_lines({"vocab.txt", "[UNK]\n[CLS]\n[SEP]\na\nb\nc\n"}));
  const std::string first = "a b c a", second = "b b";
  const auto ids = [&](const input_options& options) {
    return encode_input(bert, first, second, options).ids;
  };
  CHECK(ids({}) == std::vector<token_id>{1, 3, 4, 5, 3, 2, 4, 4, 2});
  CHECK(ids({.most_tokens = 8}) == std::vector<token_id>{1, 3, 4, 5, 2, 4, 4, 2});
  CHECK(ids({.most_tokens = 6}) == std::vector<token_id>{1, 3, 4, 2, 4, 2});
  CHECK(ids({.most_tokens = 6, .left_out = truncation::first_text}) ==
        std::vector<token_id>{1, 3, 2, 4, 4, 2});
  CHECK(ids({.most_tokens = 7, .left_out = truncation::second_text}) ==
        std::vector<token_id>{1, 3, 4, 5, 3, 2, 2});
  CHECK(ids({.most_tokens = 3}) == std::vector<token_id>{1, 2, 2});
  CHECK_THROWS_AS(ids({.most_tokens = 4, .left_out = truncation::first_text}), argument_error);
  CHECK_THROWS_WITH(ids({.most_tokens = 6, .left_out = truncation::second_text}),
                    Catch::Contains("texts of 4 and 2 tokens do not fit into 3"));
  CHECK_THROWS_AS(ids({.most_tokens = 2}), argument_error);

  const encoded_input alone = encode_input(bert, first, {.most_tokens = 5});
  CHECK(alone.ids == std::vector<token_id>{1, 3, 4, 5, 2});
  CHECK(alone.token_types == std::vector<int>(5, 0));
  CHECK(alone.texts == std::vector<int>{-1, 0, 0, 0, -1});
  CHECK(alone.spans == std::vector<text_span>{{0, 0}, {0, 1}, {2, 3}, {4, 5}, {0, 0}});
  const tokenizer gpt2 = load_tokenizer(support::fixture("text/small"));
  CHECK(encode_input(gpt2, "a text").ids == gpt2.encode("a text"));
  CHECK_THROWS_AS(encode_input(gpt2, "a", "b"), tokenizer_error);
}

TEST_CASE("spans are found again behind what normalizers put together, drop or make of one character") {
  const auto spans_of = [](const tokenizer& made, std::string_view text) {
    const encoded_text found = encode_with_spans(made, text);
    CHECK(found.ids == made.encode(text));
    return found.spans;
  };
  // More accents than are looked at together: what follows is in its place.
  vocabulary bytes = read_vocabulary_folder(support::fixture("text/small"));
  bytes.rules.normalizers = {normalizer::nfc};
  const std::string accents = "a\u0316\u0316\u0316\u0316\u0316\u0316\u0316\u0316\u0300";
  const auto behind = spans_of(tokenizer(bytes), accents + "1 2");
  REQUIRE(behind.size() > 3);
  CHECK(behind[behind.size() - 2] == text_span{accents.size(), accents.size() + 1});
  CHECK(behind.back() == text_span{accents.size() + 1, accents.size() + 3});

  // Bytes without a token are dropped, and merges go across.
  vocabulary few{.tokens = {"a", "b", "ab"}, .byte_tokens = {}, .merges = {{0, 1, 2}}, .added = {}};
  few.byte_tokens.fill(no_token);
  few.byte_tokens['a'] = 0;
  few.byte_tokens['b'] = 1;
  few.rules = {.steps = {}, .drops_unknown = true};
  CHECK(spans_of(tokenizer(few), "a\xcc"
                                 "b\xcc"
                                 "a") == std::vector<text_span>{{0, 3}, {4, 5}});
  const std::string many = support::repeated("a\xcc"
                                             "b",
                                             60000);
  CHECK(encode_with_spans(tokenizer(few), many).spans.size() == 20000);

  // A ▁ of the text is a space of one byte to a tokenizer of words.
  const json words = {
      {"pre_tokenizer",
       {{"type", "Sequence"},
        {"pretokenizers",
         json::array({{{"type", "WhitespaceSplit"}},
                      {{"type", "Metaspace"}, {"replacement", "▁"}, {"prepend_scheme", "always"}}})}}},
      {"model",
       {{"type", "BPE"},
        {"vocab", {{"▁", 0}, {"x", 1}, {"y", 2}, {"z", 3}, {"▁x", 4}, {"▁y", 5}, {"▁z", 6}}},
        {"merges", json::array({"▁ x", "▁ y", "▁ z"})}}}};
  const tokenizer by_words(read_tokenizer_json({"tokenizer.json", words.dump()}));
  CHECK(spans_of(by_words, "x▁y z") == std::vector<text_span>{{0, 1}, {1, 5}, {6, 7}});
  CHECK(spans_of(by_words, "▁▁x") == std::vector<text_span>{{0, 3}, {3, 7}});

  if (const auto shared = support::shared_dir()) { // ´ is a space and an accent to SentencePiece's normalizer
    const support::temporary_folder folder;
    REQUIRE(std::system(("gzip -dc '" + (*shared / "data/tokenizers/t5.sentencepiece.model.gz").string() +
                         "' > '" + (folder / "spiece.model").string() + "'")
                            .c_str()) == 0);
    const tokenizer t5 = load_tokenizer(folder.path());
    const std::string text = "don´t stop\u200bhere ¯ now";
    const auto spans = spans_of(t5, text);
    std::size_t end = 0; // one behind the other, and nothing but spaces between
    for (const text_span& span : spans) {
      CHECK((span.begin >= end || span.begin == 3));
      end = span.end;
    }
    CHECK(text.substr(spans.back().begin) == " now");
  }
}

TEST_CASE("one text's token types are its template's") {
  json file = read(support::fixture("text/trained/wordpiece/tokenizer.json"));
  json& single = file["post_processor"]["single"];
  single.back()["SpecialToken"]["type_id"] = 2;
  const tokenizer made(read_tokenizer_json({"tokenizer.json", file.dump()}));
  const encoded_input found = encode_input(made, "a");
  CHECK(found.token_types == std::vector<int>{0, 0, 2});
  CHECK(found.ids == made.encode_prompt("a"));
  single.push_back(single[1]);
  CHECK_THROWS_AS(read_tokenizer_json({"tokenizer.json", file.dump()}), tokenizer_error);
  vocabulary wrong = read_tokenizer_json(
      {"tokenizer.json", json(read(support::fixture("text/trained/wordpiece/tokenizer.json"))).dump()});
  wrong.rules.pair.pop_back();
  wrong.rules.pair.pop_back();
  CHECK_THROWS_WITH(tokenizer(wrong), Catch::Contains("a template with 2 texts, found 1"));
  wrong.rules.pair.clear();
  wrong.rules.after = {100000};
  CHECK_THROWS_AS(tokenizer(wrong), tokenizer_error);
}
