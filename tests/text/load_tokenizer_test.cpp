// Every damaged vocabulary ends in a typed error that says where and what.
#include <support/catch.hpp>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <support/temporary_folder.hpp>
#include <transept/core/display.hpp>
#include <transept/core/error.hpp>
#include <transept/core/json.hpp>
#include <transept/text/tokenizer_folder.hpp>
#include <transept/text/vocabulary_files.hpp>

#include "text_support.hpp"

using namespace transept;
using Catch::ContainsSubstring;
using tokens = std::vector<token_id>;

namespace {

json small_table() {
  return parse_json(support::read_file(support::fixture("text/small/vocab.json")), "vocab.json");
}

std::string small_merges() { return support::read_file(support::fixture("text/small/merges.txt")); }

vocabulary read(const json& table, const std::string& merges) {
  return read_vocabulary({"vocab.json", table.dump()}, {"merges.txt", merges});
}

/// A tokenizer.json as Hugging Face writes it for GPT-2, of the small vocabulary.
json small_tokenizer_json() {
  json merges = json::array();
  const std::string text = small_merges();
  for (std::size_t at = text.find('\n') + 1; at < text.size(); at = text.find('\n', at) + 1) {
    merges.push_back(text.substr(at, text.find('\n', at) - at));
  }
  const json level = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}};
  const json end = {
      {"id", 656},       {"content", "<|endoftext|>"}, {"single_word", false}, {"lstrip", false},
      {"rstrip", false}, {"normalized", true},         {"special", true}};
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"padding", nullptr},
          {"added_tokens", json::array({end})},
          {"normalizer", nullptr},
          {"pre_tokenizer", level},
          {"post_processor", {{"type", "ByteLevel"}, {"add_prefix_space", true}, {"trim_offsets", false}}},
          {"decoder", {{"type", "ByteLevel"}, {"add_prefix_space", true}, {"trim_offsets", true}}},
          {"model",
           {{"type", "BPE"},
            {"dropout", nullptr},
            {"unk_token", nullptr},
            {"continuing_subword_prefix", ""},
            {"end_of_word_suffix", ""},
            {"fuse_unk", false},
            {"vocab", small_table()},
            {"merges", merges}}}};
}

tokenizer read_fast(const json& file) {
  return tokenizer(read_tokenizer_json({"tokenizer.json", file.dump()}));
}

} // namespace

TEST_CASE("a vocabulary table that contradicts itself is refused") {
  const std::string merges = small_merges();
  json table = small_table();
  SECTION("two tokens with one id") {
    table["\u0120the"] = table["\u0120and"];
    CHECK_THROWS_AS(read(table, merges), tokenizer_error);
    CHECK_THROWS_WITH(read(table, merges),
                      ContainsSubstring("vocab.json: tokens ") && ContainsSubstring("\"\u0120the\"") &&
                          ContainsSubstring("\"\u0120and\"") && ContainsSubstring("have the same id"));
  }
  SECTION("an id that is not there") {
    table.erase("<|endoftext|>");
    table["extra"] = 700;
    CHECK_THROWS_AS(read(table, merges), tokenizer_error);
    CHECK_THROWS_WITH(read(table, merges), ContainsSubstring("vocab.json: token \"extra\" has id 700") &&
                                               ContainsSubstring("657 tokens") &&
                                               ContainsSubstring("no token has id 656"));
  }
  SECTION("an id that is no whole number from 0") {
    for (const json& bad : {json(-1), json(1.5), json("7"), json(nullptr), json(1ull << 31), json(~0ull),
                            json(json::array({1})), json(true)}) {
      table["he"] = bad;
      INFO(bad);
      CHECK_THROWS_AS(read(table, merges), tokenizer_error);
      CHECK_THROWS_WITH(read(table, merges), ContainsSubstring("vocab.json: the id of token \"he\" is ") &&
                                                 ContainsSubstring("expected a whole number"));
    }
  }
  SECTION("a byte without a token") {
    const token_id id = table["\u0100"];
    table.erase("\u0100");
    table["other"] = id;
    CHECK_THROWS_AS(read(table, merges), tokenizer_error);
    CHECK_THROWS_WITH(read(table, merges), ContainsSubstring("vocab.json: no token for byte 0"));
  }
  SECTION("an empty token") {
    table[""] = 657;
    CHECK_THROWS_WITH(read(table, merges), ContainsSubstring("vocab.json: a token is empty"));
  }
  SECTION("no table at all") {
    CHECK_THROWS_AS(read(json::array({1, 2}), merges), tokenizer_error);
    CHECK_THROWS_WITH(read(json::array({1, 2}), merges),
                      ContainsSubstring("expected an object of tokens and ids"));
    CHECK_THROWS_AS(read(json::object(), merges), tokenizer_error);
  }
}

TEST_CASE("a vocabulary table that is no JSON is refused with the file's name") {
  for (const std::string text : {"", "{", "{\"a\": 1", "{\"a\": 1, \"a\": 2}", "{\"\xff\": 1}", "{} x"}) {
    const source_text merges{"merges.txt", small_merges()};
    CHECK_THROWS_AS(read_vocabulary({"some/vocab.json", text}, merges), error);
    CHECK_THROWS_WITH(read_vocabulary({"some/vocab.json", text}, merges),
                      ContainsSubstring("some/vocab.json"));
  }
  CHECK_THROWS_AS(read_vocabulary({"vocab.json", "{\"a\": 1, \"a\": 2}"}, {"merges.txt", ""}), format_error);
}

TEST_CASE("merges that the table does not know are refused with their line") {
  const json table = small_table();
  const auto refused = [&](const std::string& merges, const std::string& words) {
    INFO(quoted(merges));
    CHECK_THROWS_AS(read(table, merges), tokenizer_error);
    CHECK_THROWS_WITH(read(table, merges), ContainsSubstring("merges.txt:") && ContainsSubstring(words));
  };
  refused("#version: 0.2\na a\nqqq u\n", "merges.txt:3: \"qqq\" is not a token of vocab.json");
  refused("#version: 0.2\nt qqq\n", "merges.txt:2: \"qqq\" is not a token");
  refused("q ~\n", "merges.txt:1: \"q~\" is not a token");
  refused("h e\na a\nh e\n", "merges.txt:3: the merge of \"h\" and \"e\" was given before");
  refused("t\n", "merges.txt:1: expected two tokens with a space between, found \"t\"");
  refused("t h e\n", "expected two tokens");
  refused(" t\n", "expected two tokens");
  refused("t \n", "expected two tokens");
  refused("t  h\n", "expected two tokens");
  refused("t\th\n", "expected two tokens");
  refused("\xff\xfe t\n", "\"\\xff\\xfe\" is not a token");
  refused("a a\n#version: 0.2\n", "merges.txt:2: \"#version:\" is not a token");
}

TEST_CASE("merges may come with CRLF, a byte-order mark, empty lines or no version line") {
  const json table = small_table();
  const std::string merges = small_merges();
  const std::string body = merges.substr(merges.find('\n') + 1);
  std::string crlf;
  for (const char c : merges) crlf += c == '\n' ? "\r\n" : std::string(1, c);
  const std::string text = "The transept crosses the nave; 333 aaaaaaaaaaaaaaaaaaaaaaaaa Führer";
  const tokens expected = support::small_tokenizer().encode(text);
  for (const std::string& same : {merges, body, crlf, "\xef\xbb\xbf" + merges, "\xef\xbb\xbf" + body,
                                  merges + "\n\n", "\n" + body, merges.substr(0, merges.size() - 1)}) {
    CHECK(tokenizer(read(table, same)).encode(text) == expected);
  }
  CHECK(tokenizer(read(table, "")).encode("the") == tokens{83, 71, 68}); // no merges: bytes
}

TEST_CASE("a table may begin with a byte-order mark") {
  const source_text table{"vocab.json", "\xef\xbb\xbf" + small_table().dump()};
  CHECK(read_vocabulary(table, {"merges.txt", small_merges()}).tokens.size() == 657);
}

TEST_CASE("added_tokens.json continues the table with special tokens") {
  const source_text table{"vocab.json", small_table().dump()}, merges{"merges.txt", small_merges()};
  const auto with = [&](const std::string& added) {
    return tokenizer(read_vocabulary(table, merges, source_text{"added_tokens.json", added}));
  };
  const tokenizer two = with(R"({"<pad>": 657, "a é": 658})");
  CHECK(two.vocabulary_size() == 659);
  CHECK(two.bytes(658) == "a é");
  CHECK(two.encode("<pad>a é", special_tokens::allowed) == tokens{657, 658});
  CHECK(two.encode("<pad>") == support::small_tokenizer().encode("<pad>"));
  CHECK(with(R"({"<|endoftext|>": 656})").vocabulary_size() == 657); // known already
  CHECK_THROWS_WITH(with(R"({"<pad>": 3})"),
                    ContainsSubstring("added_tokens.json: tokens \"$\" and \"<pad>\" have the same id, 3"));
  CHECK_THROWS_WITH(with(R"({"<pad>": 900})"),
                    ContainsSubstring("has id 900") && ContainsSubstring("no token has id 657"));
  CHECK_THROWS_WITH(with(R"({"he": 657})"),
                    ContainsSubstring("added token \"he\" has id 657, but vocab.json gives it"));
  CHECK_THROWS_WITH(with(R"({"": 657})"), ContainsSubstring("empty"));
  CHECK_THROWS_WITH(with(R"({"<pad>": "x"})"), ContainsSubstring("the id of token \"<pad>\""));
  CHECK_THROWS_WITH(with("[1]"), ContainsSubstring("added_tokens.json: expected an object"));
  CHECK_THROWS_AS(with("[1]"), tokenizer_error);
  // The token of the byte 0x20 is written so; as plain text it is another.
  CHECK_THROWS_AS(with("{\"\u0120\": 220}"), tokenizer_error);
}

TEST_CASE("a tokenizer.json of GPT-2's kind gives the same tokens") {
  const std::string text =
      "The transept <|endoftext|> crosses the nave; 333 aaaaaaaaaaaaaaaaaaaaaaaaa Führer";
  const tokenizer& small = support::small_tokenizer();
  json file = small_tokenizer_json();
  const auto same = [&] {
    const tokenizer fast = read_fast(file);
    CHECK(fast.encode(text) == small.encode(text));
    CHECK(fast.encode(text, special_tokens::allowed) == small.encode(text, special_tokens::allowed));
    CHECK(fast.end_of_text() == 656);
  };
  same();
  for (json& merge : file["model"]["merges"]) { // as newer versions write them
    const std::string line = merge;
    const std::size_t space = line.find(' ');
    merge = json::array({line.substr(0, space), line.substr(space + 1)});
  }
  file["pre_tokenizer"]["use_regex"] = true;
  file["model"]["byte_fallback"] = false;
  file["model"]["ignore_merges"] = false;
  file["model"].erase("type");
  file["post_processor"] = nullptr;
  same();
  file["added_tokens"].push_back({{"id", 657}, {"content", "word"}, {"special", false}});
  file["added_tokens"].push_back({{"id", 658}, {"content", "<pad>"}, {"special", true}});
  CHECK(read_fast(file).encode("word<pad>").front() == 657);
  CHECK(read_fast(file).encode("word<pad>", special_tokens::allowed) == tokens{657, 658});
}

TEST_CASE("a tokenizer.json that asks for anything else is refused with the key") {
  const auto refused = [&](const char* key, const json& value, const std::string& words) {
    json file = small_tokenizer_json();
    file[json::json_pointer(key)] = value;
    INFO(key << " = " << value);
    CHECK_THROWS_AS(read_fast(file), tokenizer_error);
    CHECK_THROWS_WITH(read_fast(file), ContainsSubstring("tokenizer.json: ") && ContainsSubstring(words));
  };
  refused("/model/type", "WordLevel", "model.type is \"WordLevel\"; supported: \"BPE\"");
  refused("/model/type", "WordPiece", "pre_tokenizer is an object");
  refused("/model/type", "Unigram", "pre_tokenizer is an object");
  refused("/model/dropout", 0.1, "model.dropout is 0.1");
  refused("/model/unk_token", "<unk>", "model.unk_token");
  refused("/model/continuing_subword_prefix", "##", "model.continuing_subword_prefix");
  refused("/model/end_of_word_suffix", "</w>", "model.end_of_word_suffix");
  refused("/model/byte_fallback", true, "model.byte_fallback is true");
  refused("/model/vocab", nullptr, "model.vocab");
  refused("/model/merges", "t h", "model.merges");
  refused("/model/merges/0", 7, "merge 0: expected two tokens, found 7");
  refused("/model/merges/0", json::array({"t"}), "merge 0: expected two tokens");
  refused("/model/merges/0", json::array({"t", 3}), "merge 0: expected two tokens");
  refused("/model/merges/0", "qqq q", "merge 0: \"qqq\" is not a token");
  refused("/model", nullptr, "model is null");
  refused("/normalizer", {{"type", "ByteLevel"}}, "normalizer is an object");
  refused("/normalizer", {{"type", "Prepend"}, {"prepend", "_"}}, "normalizer is an object");
  refused("/normalizer", {{"type", "Sequence"}}, "normalizer.normalizers is null");
  refused("/normalizer", {{"type", "Sequence"}, {"normalizers", json::array({{{"type", "Unknown"}}})}},
          "normalizer.normalizers[0] is an object");
  refused("/pre_tokenizer", nullptr, "decoder is an object");
  refused("/pre_tokenizer/type", "Sequence", "pre_tokenizer.pretokenizers is null");
  refused("/pre_tokenizer/type", "CharDelimiterSplit", "pre_tokenizer is an object");
  refused("/pre_tokenizer/add_prefix_space", 1, "pre_tokenizer.add_prefix_space is 1");
  refused("/pre_tokenizer", {{"type", "ByteLevel"}}, "pre_tokenizer.add_prefix_space is null");
  const json level = {{"type", "ByteLevel"}, {"add_prefix_space", false}};
  refused("/pre_tokenizer", {{"type", "Sequence"}, {"pretokenizers", json::array({level, level})}},
          "pre_tokenizer.pretokenizers[1] is an object");
  const auto split = [&](const json& pattern, const char* behaviour) {
    return json{{"type", "Split"}, {"pattern", pattern}, {"behavior", behaviour}, {"invert", false}};
  };
  refused("/pre_tokenizer", split({{"Regex", "a+"}}, "Isolated"),
          "pre_tokenizer.pattern is not one of those that are known: {\"Regex\":\"a+\"}");
  refused("/pre_tokenizer", split({{"Regex", R"(\p{N})"}}, "Removed"),
          "pre_tokenizer.behavior is \"Removed\"");
  refused("/post_processor", {{"type", "BertProcessing"}}, "post_processor.cls is null");
  refused("/post_processor",
          {{"type", "TemplateProcessing"},
           {"single", json::array({{{"SpecialToken", {{"id", "<s>"}, {"type_id", 0}}}},
                                   {{"Sequence", {{"id", "A"}, {"type_id", 0}}}}})}},
          "post_processor.single");
  refused("/decoder/type", "Metaspace", "decoder is an object");
  refused("/added_tokens", 3, "added_tokens is 3");
  refused("/added_tokens/0", 3, "added_tokens[].content");
  refused("/added_tokens/0/lstrip", 1, "added token \"<|endoftext|>\": lstrip is 1");
  refused("/added_tokens/0/special", "yes", "special");
  refused("/added_tokens/0/id", 3, "added token \"<|endoftext|>\" has id 3, but tokenizer.json gives it 656");
  refused("/added_tokens/0/id", "x", "the id of token");
  CHECK_THROWS_AS(read_fast(json::array()), tokenizer_error);
  CHECK_THROWS_AS(read_tokenizer_json({"tokenizer.json", "{"}), format_error);
}

TEST_CASE("a folder without the files says which are needed") {
  const support::temporary_folder folder;
  const auto refused = [&](const std::string& words) {
    CHECK_THROWS_AS(load_tokenizer(folder.path()), file_error);
    CHECK_THROWS_WITH(load_tokenizer(folder.path()),
                      ContainsSubstring(folder.path().string()) && ContainsSubstring(words));
  };
  refused("needed: tokenizer.json, or vocab.json and merges.txt");
  support::write_file(folder / "vocab.json", small_table().dump());
  refused("no merges.txt");
  std::filesystem::remove(folder / "vocab.json");
  support::write_file(folder / "merges.txt", small_merges());
  refused("no vocab.json");
  std::filesystem::create_directory(folder / "vocab.json");
  refused("vocab.json: not a regular file");
  std::filesystem::remove(folder / "vocab.json");
  support::write_file(folder / "tokenizer.json", small_tokenizer_json().dump());
  CHECK(load_tokenizer(folder.path()).vocabulary_size() == 657);
  CHECK_THROWS_AS(load_tokenizer(folder / "absent"), file_error);
  CHECK_THROWS_WITH(load_tokenizer(folder / "merges.txt"), ContainsSubstring("merges.txt: not a folder"));
}

TEST_CASE("added_tokens.json in the folder is read") {
  const support::temporary_folder folder;
  support::write_file(folder / "vocab.json", small_table().dump());
  support::write_file(folder / "merges.txt", small_merges());
  support::write_file(folder / "added_tokens.json", R"({"<pad>": 657})");
  CHECK(load_tokenizer(folder.path()).encode("<pad>", special_tokens::allowed) == tokens{657});
}

TEST_CASE("damaged files end in an error or in a working tokenizer, never in anything worse") {
  const std::string table = small_table().dump(), merges = small_merges(),
                    fast = small_tokenizer_json().dump();
  support::random_text random(11);
  const auto damaged = [&](std::string text) {
    for (std::size_t n = 1 + random.below(3); n-- > 0;) {
      const std::size_t at = random.below(text.size());
      switch (random.below(4)) {
      case 0:
        text.resize(at + 1);
        break;
      case 1:
        text[at] = static_cast<char>(random.below(256));
        break;
      case 2:
        text.erase(at, 1 + random.below(20));
        break;
      default:
        text.insert(at, text.substr(random.below(text.size()), random.below(20)));
      }
      if (text.empty()) break;
    }
    return text;
  };
  const std::string text = "The transept crosses the nave 333 \xff";
  const std::string trained =
      support::read_file(support::fixture("text/trained/byte_fallback_bpe/tokenizer.json"));
  std::size_t errors = 0;
  const auto attempt = [&](const std::function<vocabulary()>& make) {
    try {
      const tokenizer made(make());
      const std::string again = made.decode(made.encode(text, special_tokens::allowed));
      REQUIRE((made.rules() != text_rules{} || again == text)); // other rules may change a text
    } catch (const error&) {
      ++errors;
    }
  };
  for (int i = 0; i < 400; ++i) {
    attempt([&] { return read_vocabulary({"v", damaged(table)}, {"m", merges}); });
    attempt([&] { return read_vocabulary({"v", table}, {"m", damaged(merges)}); });
    attempt([&] { return read_tokenizer_json({"t", damaged(fast)}); });
    attempt([&] { return read_tokenizer_json({"t", damaged(trained)}); });
  }
  CHECK(errors > 600);
}
