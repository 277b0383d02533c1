// text/encoded_text.hpp: where tokens are in their text, against the offsets of Hugging Face's tokenizers,
// which count characters.
#include <support/catch.hpp>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <support/temporary_folder.hpp>

#include <transept/core/json.hpp>
#include <transept/io/load_tokenizer.hpp>
#include <transept/text/encoded_text.hpp>
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
      const encoded_text found = made.encode_with_spans(text, special_tokens::allowed);
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
    const encoded_text found = bert.encode_with_spans(text, special_tokens::allowed);
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
    CHECK(in_characters(text, gpt2.encode_with_spans(text, special_tokens::allowed).spans) ==
          expected[i].get<offsets>());
  }
}
