// text/word_pieces.hpp, and BERT's tokenizers: against Hugging Face's (fixtures/text/bert, made by them).
#include <support/catch.hpp>

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <iterator>
#include <map>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include <reference/word_pieces.hpp>
#include <support/temporary_folder.hpp>
#include <transept/core/json.hpp>
#include <transept/io/gguf_writer.hpp>
#include <transept/text/vocabulary_files.hpp>
#include <transept/text/word_pieces.hpp>

#include "text_support.hpp"

using namespace transept;
using Catch::ContainsSubstring;
using tokens = std::vector<token_id>;

namespace {

json read_json(const std::filesystem::path& path) {
  return parse_json(support::read_file(path), path.filename().string());
}

/// A tokenizer.json of BERT's, with the vocabulary of fixtures/text/bert. `strips` null: accents go where it
/// is lower case.
json bert_json(bool lower, const json& strips, bool ideographs, bool cleans) {
  json table, added = json::array();
  const std::string lines = support::read_file(support::fixture("text/bert/vocab.txt"));
  int next = 0;
  for (std::size_t at = 0, end; (end = lines.find('\n', at)) != lines.npos; at = end + 1, ++next) {
    table[lines.substr(at, end - at)] = next;
    if (next < 5) added.push_back({{"id", next}, {"content", lines.substr(at, end - at)}, {"special", true}});
  }
  if (table.size() == 143) table[lines.substr(lines.rfind('\n') + 1)] = next; // no line feed at its end
  return {
      {"added_tokens", added},
      {"normalizer",
       {{"type", "BertNormalizer"},
        {"clean_text", cleans},
        {"handle_chinese_chars", ideographs},
        {"strip_accents", strips},
        {"lowercase", lower}}},
      {"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
      {"post_processor",
       {{"type", "BertProcessing"}, {"sep", json::array({"[SEP]", 3})}, {"cls", json::array({"[CLS]", 2})}}},
      {"decoder", {{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}}},
      {"model",
       {{"type", "WordPiece"},
        {"unk_token", "[UNK]"},
        {"continuing_subword_prefix", "##"},
        {"max_input_chars_per_word", 100},
        {"vocab", table}}}};
}

tokenizer read(const json& file) { return tokenizer(read_tokenizer_json({"tokenizer.json", file.dump()})); }

} // namespace

TEST_CASE("the pieces of a word are those of looking for each length") {
  support::random_text random(13);
  const auto letters = [&](std::size_t n) {
    std::string text;
    while (n-- > 0) text += std::string_view("abc")[random.below(3)];
    return text;
  };
  for (int round = 0; round < 200; ++round) {
    std::map<std::string, token_id> table;
    std::vector<scored_piece> first, inside;
    for (std::size_t n = random.below(14); n-- > 0;) {
      const std::string text = letters(1 + random.below(4));
      const bool goes_on = random.below(2) == 0;
      const auto id = static_cast<token_id>(table.size());
      if (table.emplace((goes_on ? "##" : "") + text, id).second)
        (goes_on ? inside : first).push_back({text, id});
    }
    const word_pieces made(first, inside, 12);
    for (int i = 0; i < 20; ++i) {
      const std::string word = letters(1 + random.below(10));
      tokens found{-7};
      const bool is_known = made.encode(word, found);
      CHECK(is_known == (found.size() > 1));
      found.erase(found.begin());
      CHECK(found == reference::word_pieces(table, word));
    }
    tokens none;
    CHECK_FALSE(made.encode(letters(13), none)); // too long
  }
}

TEST_CASE("a WordPiece that was trained by Hugging Face's tokenizers") {
  const auto folder = support::fixture("text/trained");
  const tokenizer made = load_tokenizer(folder / "wordpiece");
  const json lines = read_json(folder / "lines.json"), ids = read_json(folder / "wordpiece/ids.json"),
             texts = read_json(folder / "wordpiece/decoded.json");
  for (std::size_t i = 0; i < lines.size(); ++i) {
    CAPTURE(lines[i]);
    CHECK(made.encode_prompt(lines[i].get<std::string>(), special_tokens::allowed) == ids[i].get<tokens>());
    CHECK(made.decode(ids[i].get<tokens>()) == texts[i].get<std::string>());
  }
}

TEST_CASE("BERT's normalizers, each with and without its parts") {
  const auto folder = support::fixture("text/bert");
  const json texts = read_json(folder / "texts.json"), all = read_json(folder / "ids.json");
  CHECK(all.size() == 16);
  for (const auto& [settings, ids] : all.items()) { // "lower=True strip=None cjk=True clean=True"
    const auto is = [&](const std::string& words) { return settings.find(words) != settings.npos; };
    const json strips = is("strip=None") ? json() : json(is("strip=True"));
    const tokenizer made = read(bert_json(is("lower=True"), strips, is("cjk=True"), is("clean=True")));
    for (std::size_t i = 0; i < texts.size(); ++i) {
      CAPTURE(settings, texts[i]);
      CHECK(made.encode_prompt(texts[i].get<std::string>(), special_tokens::allowed) == ids[i].get<tokens>());
    }
  }
}

TEST_CASE("vocab.txt is the uncased BERT's, until tokenizer_config.json says something else") {
  const support::temporary_folder folder;
  const auto given = support::fixture("text/bert");
  support::write_file(folder / "vocab.txt", support::read_file(given / "vocab.txt"));
  const json texts = read_json(given / "texts.json"), all = read_json(given / "ids.json"),
             decoded = read_json(given / "decoded.json");
  const auto check = [&](const char* settings) {
    const tokenizer made = load_tokenizer(folder.path());
    const json& ids = all.at(settings);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      CAPTURE(settings, texts[i]);
      CHECK(made.encode_prompt(texts[i].get<std::string>(), special_tokens::allowed) == ids[i].get<tokens>());
    }
  };
  check("lower=True strip=None cjk=True clean=True");
  const tokenizer made = load_tokenizer(folder.path());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto ids = all.at("lower=True strip=None cjk=True clean=True")[i].get<tokens>();
    CHECK(made.decode(ids, decoded_tokens::without_special) == decoded[i].get<std::string>());
  }
  support::write_file(folder / "tokenizer_config.json", R"({"do_lower_case": false})");
  check("lower=False strip=None cjk=True clean=True");
  support::write_file(folder / "tokenizer_config.json",
                      R"({"strip_accents": false, "tokenize_chinese_chars": true})");
  check("lower=True strip=False cjk=True clean=True");
  support::write_file(folder / "tokenizer.json", bert_json(true, json(), true, true).dump());
  support::write_file(folder / "tokenizer_config.json",
                      R"({"do_lower_case": false, "tokenize_chinese_chars": false})");
  check("lower=False strip=None cjk=False clean=True");
}

TEST_CASE("words, unknown ones and special tokens") {
  const tokenizer bert = read(bert_json(true, json(), true, true));
  CHECK(bert.encode("Hello, WORLD") == tokens{117, 88, 118});
  CHECK(bert.encode("unaffable") == tokens{110, 112, 111});
  CHECK(bert.encode("unß") == tokens{1});  // all of a word, or nothing
  CHECK(bert.encode("[SEP]").size() == 5); // text
  CHECK(bert.encode("x[SEP]", special_tokens::allowed) == tokens{28, 3});
  CHECK(bert.encode("") == tokens{});
  CHECK(bert.encode_prompt("a") == tokens{2, 5, 3});
  CHECK(bert.encode(std::string(100, 'a')).size() == 100);
  CHECK(bert.encode(std::string(101, 'a')) == tokens{1});
  CHECK(bert.encode("\xff hello") == tokens{1, 117});
  CHECK(bert.decode(tokens{117, 88, 118, 77}) == "hello, world!");
  CHECK(bert.decode(tokens{110, 112, 111}) == "unaffable");
  CHECK((bert.is_special(1) && bert.is_special(3) && !bert.is_special(110)));
  json file = bert_json(true, json(), true, true);
  file["decoder"]["cleanup"] = false;
  CHECK(read(file).decode(tokens{2, 117, 77}) == "[CLS] hello !");
  file["model"]["max_input_chars_per_word"] = 3;
  CHECK(read(file).encode("abcd the") == tokens{1, 109});
  file["pre_tokenizer"]["type"] = "WhitespaceSplit";
  file["model"]["max_input_chars_per_word"] = 100;
  CHECK(read(file).encode("##ing the") == tokens{114, 109}); // as it is written
  CHECK(read(file).encode("the!") == tokens{1});
}

TEST_CASE("a WordPiece that is none is refused with the key") {
  const auto refused = [&](const char* key, const json& value, const std::string& words) {
    json file = bert_json(true, json(), true, true);
    file[json::json_pointer(key)] = value;
    INFO(key << " = " << value);
    CHECK_THROWS_AS(read(file), tokenizer_error);
    CHECK_THROWS_WITH(read(file), ContainsSubstring("tokenizer.json: ") && ContainsSubstring(words));
  };
  refused("/model/unk_token", "[NONE]", "model.unk_token: \"[NONE]\" is not a token");
  refused("/model/unk_token", 3, "model.unk_token is 3");
  refused("/model/vocab", json::array(), "model.vocab");
  refused("/model/max_input_chars_per_word", -1, "max_input_chars_per_word");
  refused("/model/continuing_subword_prefix", 7, "continuing_subword_prefix");
  refused("/model/continuing_subword_prefix", "@@", "decoder is an object");
  refused("/decoder/type", "Metaspace", "decoder is an object");
  refused("/post_processor/cls", json::array({"[CLS]", 999}), "no token has id 999");
  refused("/post_processor/sep", "[SEP]", "post_processor.sep is \"[SEP]\"");
  refused("/normalizer/lowercase", 1, "normalizer.lowercase is 1");
  const auto lines = [](const std::string& text) { return read_vocabulary_lines({"vocab.txt", text}); };
  CHECK_THROWS_WITH(lines(""), ContainsSubstring("vocab.txt: no tokens"));
  CHECK_THROWS_WITH(lines("a\n\nb\n"), ContainsSubstring("vocab.txt:2: a token is empty"));
  CHECK_THROWS_WITH(lines("a\r\na\r\n"), ContainsSubstring("vocab.txt:2: token \"a\" has two ids"));
  CHECK_THROWS_WITH(lines("a\n\xff\n"), ContainsSubstring("vocab.txt:2: expected a token in UTF-8"));
  CHECK_THROWS_WITH(tokenizer(lines("a\n")).encode("b"), ContainsSubstring("lacks a character"));
  CHECK(tokenizer(lines("a\n[UNK]")).encode("a b") == tokens{0, 1});
}

TEST_CASE("a WordPiece in a GGUF file: ▁ before words, nothing before what goes on with one") {
  const support::temporary_folder folder;
  const std::vector<std::string> symbols = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "▁un", "able", "▁want", "▁!"};
  const std::vector<std::int32_t> kinds = {3, 3, 3, 3, 1, 1, 1, 1};
  const auto read = [&](const std::function<void(gguf_keys&)>& more) {
    gguf_keys keys;
    keys.add("general.architecture", "bert");
    keys.add("tokenizer.ggml.model", "bert");
    keys.add("tokenizer.ggml.tokens", std::span<const std::string>(symbols));
    keys.add("tokenizer.ggml.token_type", std::span<const std::int32_t>(kinds));
    more(keys);
    gguf_stream file(folder / "m.gguf", keys, {});
    file.commit();
    return load_tokenizer(folder / "m.gguf");
  };
  const tokenizer made = read([](gguf_keys&) {});
  CHECK(made.encode("Unable WÁNT!") == tokens{4, 5, 6, 7});
  CHECK(made.encode("unx able") == tokens{1, 1});
  CHECK(made.encode("[SEP]").size() == 3);
  CHECK(made.encode_prompt("want") == tokens{2, 6, 3});
  CHECK(made.decode(tokens{4, 5, 6, 7}) == "unable want!");
  CHECK(made.decode(tokens{2, 6, 3}, decoded_tokens::without_special) == "want");
  const tokenizer other = read([](gguf_keys& keys) {
    keys.add("tokenizer.ggml.cls_token_id", std::uint32_t{0});
    keys.add("tokenizer.ggml.add_eos_token", gguf_value{gguf_type::boolean, std::string_view("\0", 1)});
  });
  CHECK(other.encode_prompt("want") == tokens{0, 6});
  CHECK_THROWS_AS(read([](gguf_keys& keys) { keys.add("tokenizer.ggml.cls_token_id", std::uint32_t{99}); }),
                  tokenizer_error);
}

TEST_CASE("BERT's vocabulary as it is downloaded") {
  const auto shared = support::shared_dir();
  if (!shared) return;
  const support::temporary_folder folder;
  support::write_file(folder / "vocab.txt",
                      support::read_file(*shared / "data/tokenizers/bert_uncased_vocab.txt"));
  const tokenizer bert = load_tokenizer(folder.path());
  CHECK(bert.vocabulary_size() == 30522);
  CHECK(bert.encode_prompt("Hello, world!") == tokens{101, 7592, 1010, 2088, 999, 102});
  CHECK(bert.decode(bert.encode("Embeddings of words.")) == "embeddings of words.");
}

TEST_CASE("BERT's vocabulary in a GGUF file gives llama.cpp's tokens") {
  const auto shared = support::shared_dir();
  if (!shared) return;
  const support::temporary_folder unpacked;
  const auto base = *shared / "data" / "tokenizers" / "bert-bge.gguf";
  const auto file = unpacked / "bert.gguf";
  REQUIRE(std::system(("gzip -dc '" + base.string() + ".gz' > '" + file.string() + "'").c_str()) == 0);
  const tokenizer bert = load_tokenizer(file);
  const std::string texts = support::read_file(base.string() + ".inp");
  std::istringstream lines(support::read_file(base.string() + ".out"));
  const std::string mark = "\n__ggml_vocab_test__\n";
  std::string line;
  std::size_t count = 0;
  for (std::size_t at = 0, end; (end = texts.find(mark, at)) != texts.npos; at = end + mark.size(), ++count) {
    std::getline(lines, line);
    std::istringstream numbers(line);
    CHECK(bert.encode(texts.substr(at, end - at)) == tokens(std::istream_iterator<token_id>(numbers), {}));
  }
  CHECK(count > 40);
  CHECK(bert.encode_prompt("hello") == tokens{101, 7592, 102});
}
