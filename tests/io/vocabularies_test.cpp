// Vocabularies of other kinds than GPT-2's: against what Hugging Face's tokenizers made of the same texts.
#include <support/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include <support/paths.hpp>
#include <support/temporary_folder.hpp>

#include <transept/core/json.hpp>
#include <transept/io/gguf.hpp>
#include <transept/io/gguf_metadata.hpp>
#include <transept/io/impl/gguf_splittings.hpp>
#include <transept/io/load_tokenizer.hpp>
#include <transept/io/vocabulary_writer.hpp>
#include <transept/text/tokenizer_folder.hpp>
#include <transept/text/tokenizer_json_writer.hpp>
#include <transept/text/unicode.hpp>
#include <transept/text/vocabulary_files.hpp>

using namespace transept;
namespace fs = std::filesystem;

namespace {

/// The texts of a NAME.gguf.inp of llama.cpp's, and the ids of each in NAME.gguf.out.
std::vector<std::pair<std::string, std::vector<token_id>>> golden(const fs::path& base) {
  const std::string texts = support::read_file(base.string() + ".gguf.inp");
  std::istringstream lines(support::read_file(base.string() + ".gguf.out"));
  const std::string mark = "\n__ggml_vocab_test__\n";
  std::vector<std::pair<std::string, std::vector<token_id>>> all;
  std::string line;
  for (std::size_t at = 0, end; (end = texts.find(mark, at)) != texts.npos; at = end + mark.size()) {
    std::getline(lines, line);
    std::istringstream numbers(line);
    all.emplace_back(texts.substr(at, end - at),
                     std::vector<token_id>(std::istream_iterator<token_id>(numbers), {}));
  }
  return all;
}

/// What a vocabulary is when it was written as a tokenizer.json.
tokenizer written_and_read(const vocabulary& from) {
  return tokenizer(read_tokenizer_json({"tokenizer.json", tokenizer_json_of(from)}));
}

} // namespace

TEST_CASE("vocabularies as they are downloaded give Hugging Face's tokens") {
  const auto shared = support::shared_dir();
  if (!shared) return;
  const support::temporary_folder unpacked;
  const auto folder = *shared / "data" / "tokenizers";
  const auto check = [&](const std::string& packed, const std::string& name, const std::string& expected) {
    CAPTURE(packed);
    const auto file = unpacked / name;
    fs::create_directories(file.parent_path());
    REQUIRE(std::system(
                ("gzip -dc '" + (folder / packed).string() + "' > '" + file.string() + "'").c_str()) == 0);
    const tokenizer made = load_tokenizer(name.ends_with(".json") ? file.parent_path() : file);
    const auto texts = golden(folder / expected);
    REQUIRE(texts.size() > 40);
    for (const auto& [text, ids] : texts) {
      CAPTURE(text);
      CHECK(made.encode(text) == ids);
      CHECK(made.decode(ids) == text);
    }
    if (name.ends_with(".json")) return;
    const tokenizer again = written_and_read(read_vocabulary(gguf_file::open(file)));
    for (const auto& [text, ids] : texts) {
      CAPTURE(text);
      CHECK(again.encode(text) == ids);
      CHECK(again.decode(ids) == text);
    }
  };
  for (const char* name : {"gpt-2", "deepseek-coder", "falcon", "llama-spm", "mpt", "phi-3", "starcoder"})
    check(std::string(name) + ".gguf.gz", std::string(name) + ".gguf", name);
  check("llama3.tokenizer.json.gz", "llama3/tokenizer.json", "llama-bpe");
  check("qwen3.tokenizer.json.gz", "qwen3/tokenizer.json", "qwen2");
}

TEST_CASE("vocabularies that Hugging Face's trainers made give its tokens and texts") {
  const auto folder = support::fixture("text/trained");
  const json lines = parse_json(support::read_file(folder / "lines.json"), "lines.json");
  for (const char* name : {"char_bpe", "byte_fallback_bpe"}) {
    CAPTURE(name);
    const tokenizer made = load_tokenizer(folder / name);
    const json ids = parse_json(support::read_file(folder / name / "ids.json"), "ids.json");
    const json texts = parse_json(support::read_file(folder / name / "decoded.json"), "decoded.json");
    REQUIRE(ids.size() == lines.size());
    for (std::size_t i = 0; i < lines.size(); ++i) {
      CAPTURE(lines[i]);
      const auto expected = ids[i].get<std::vector<token_id>>();
      CHECK(made.encode(lines[i].get<std::string>(), special_tokens::allowed) == expected);
      CHECK(made.decode(expected) == texts[i].get<std::string>());
    }
  }
}

TEST_CASE("a vocabulary is written as a tokenizer.json that is read as the same, or not at all") {
  const vocabulary from = read_vocabulary_folder(support::fixture("text/trained/byte_fallback_bpe"));
  const tokenizer before(from), after = written_and_read(from);
  const json lines =
      parse_json(support::read_file(support::fixture("text/trained/lines.json")), "lines.json");
  for (const json& line : lines) {
    const std::string text = line.get<std::string>();
    CAPTURE(text);
    CHECK(after.encode_prompt(text, special_tokens::allowed) ==
          before.encode_prompt(text, special_tokens::allowed));
    CHECK(after.decode(before.encode(text)) == before.decode(before.encode(text)));
  }
  const auto rules_of = [](const vocabulary& each) { // a file says something of two texts in any case
    text_rules rules = written_and_read(each).rules();
    CHECK(rules.pair.empty() == (each.rules.before.empty() && each.rules.after.empty()));
    rules.pair = each.rules.pair;
    return rules;
  };
  CHECK(rules_of(from) == before.rules());

  // Every splitting that GGUF has a name for, and what else it can say of bytes.
  vocabulary bytes = read_vocabulary_folder(support::fixture("text/small"));
  for (const auto& each : detail::gguf_splittings) {
    CAPTURE(each.name);
    bytes.rules = *detail::rules_named(each.name);
    bytes.rules.before = {3};
    bytes.rules.after = {4, 5};
    CHECK(rules_of(bytes) == bytes.rules);
  }
  bytes.rules = {.prefix = space_prefix::unless_there};
  CHECK(rules_of(bytes) == bytes.rules);

  // Equally early merges come as transformers writes them: the longest parts first, the left one's above all.
  vocabulary equal = from;
  for (token_merge& each : equal.merges) each.rank = 0;
  const json merges = parse_json(tokenizer_json_of(equal), "tokenizer.json")["model"]["merges"];
  REQUIRE(merges.size() == equal.merges.size());
  const auto length = [](const json& merge) {
    const std::string text = merge.get<std::string>();
    std::size_t characters = 0;
    for (std::size_t at = 0; text[at] != ' '; at += first_character(std::string_view(text).substr(at)).length)
      ++characters;
    return characters;
  };
  for (std::size_t i = 1; i < merges.size(); ++i) CHECK(length(merges[i - 1]) >= length(merges[i]));

  // Added tokens in any order; those that are no text have no file, and neither have two that are written
  // alike.
  bytes.rules = {};
  std::reverse(bytes.added.begin(), bytes.added.end());
  CHECK(rules_of(bytes) == bytes.rules);
  vocabulary no_text = bytes;
  no_text.tokens.push_back("\xff!");
  no_text.added.push_back({.id = static_cast<token_id>(no_text.tokens.size() - 1)});
  CHECK_THROWS_AS(tokenizer_json_of(no_text), tokenizer_error);
  vocabulary twice = from;
  twice.tokens.push_back(twice.tokens[300]);
  CHECK_THROWS_AS(tokenizer_json_of(twice), tokenizer_error);

  // Where a folder is written, it is the kind's files, and no other's.
  const support::temporary_folder place;
  bytes.rules = *detail::rules_named("qwen2");
  write_vocabulary_files(bytes, place.path());
  CHECK(load_tokenizer(place.path()).rules() == bytes.rules);
  bytes.rules = {};
  write_vocabulary_files(bytes, place.path());
  CHECK_FALSE(fs::exists(place / "tokenizer.json"));
  CHECK(load_tokenizer(place.path()).rules() == bytes.rules);

  bytes.rules = {.steps = {splitting::words}};
  CHECK_THROWS_AS(tokenizer_json_of(bytes), tokenizer_error);
  bytes.rules = {.normalizers = {normalizer::nfkc}};
  CHECK_THROWS_AS(tokenizer_json_of(bytes), tokenizer_error);
  bytes.rules = {.model = token_model::word_pieces};
  CHECK_THROWS_AS(tokenizer_json_of(bytes), tokenizer_error);
}

TEST_CASE("a vocabulary goes into a GGUF file and comes out the same") {
  const support::temporary_folder place;
  const auto trained = support::fixture("text/trained/byte_fallback_bpe");
  gguf_keys keys;
  keys.add("general.architecture", "llama");
  detail::add_vocabulary(keys, trained, 512, "model");
  gguf_stream file(place / "m.gguf", keys, {});
  file.commit();
  const tokenizer before = load_tokenizer(trained), after = load_tokenizer(place / "m.gguf");
  CHECK(after.vocabulary_size() == 512); // padded
  CHECK(after.rules().before == before.rules().before);
  const json lines = parse_json(support::read_file(trained / "../lines.json"), "lines.json");
  for (const json& line : lines) {
    const std::string text = line.get<std::string>();
    CAPTURE(text);
    CHECK(after.encode(text) == before.encode(text));
    CHECK(after.decode(before.encode(text)) == before.decode(before.encode(text)));
  }
  gguf_keys others;
  CHECK_THROWS_AS(detail::add_vocabulary(others, support::fixture("text/trained/char_bpe"), 512, "model"),
                  config_error);
}
