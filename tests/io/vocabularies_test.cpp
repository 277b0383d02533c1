// Vocabularies of other kinds than GPT-2's: against what Hugging Face's tokenizers made of the same texts.
#include <support/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include <support/paths.hpp>
#include <support/temporary_folder.hpp>

#include <transept/core/json.hpp>
#include <transept/io/gguf_metadata.hpp>
#include <transept/io/load_tokenizer.hpp>
#include <transept/text/tokenizer_folder.hpp>
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
