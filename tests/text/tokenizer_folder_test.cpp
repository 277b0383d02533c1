// What a folder says beside its vocabulary: special_tokens_map.json, tokenizer_config.json,
// added_tokens.json.
#include <support/catch.hpp>

#include <string>
#include <vector>

#include <support/temporary_folder.hpp>
#include <transept/core/json.hpp>
#include <transept/text/byte_alphabet.hpp>
#include <transept/text/tokenizer_folder.hpp>

#include "sentencepiece_support.hpp"
#include "text_support.hpp"

using namespace transept;
using Catch::ContainsSubstring;
using tokens = std::vector<token_id>;

namespace {

/// A folder with the 256 bytes, "<s>" 256, "</s>" 257 and "ab" 258, as GPT-2's files.
class byte_folder {
public:
  byte_folder() {
    json table;
    for (int byte = 0; byte < 256; ++byte) {
      const char c = static_cast<char>(byte);
      table[to_byte_alphabet({&c, 1})] = byte;
    }
    table["<s>"] = 256;
    table["</s>"] = 257;
    table["ab"] = 258;
    write("vocab.json", table.dump());
    write("merges.txt", "a b\n");
  }

  void write(const char* name, const std::string& text) const { support::write_file(folder_ / name, text); }
  void remove(const char* name) const { std::filesystem::remove(folder_ / name); }
  tokenizer read() const { return load_tokenizer_folder(folder_.path()); }

private:
  support::temporary_folder folder_;
};

tokens bytes(std::string_view text) {
  tokens ids;
  for (const char each : text) ids.push_back(static_cast<unsigned char>(each));
  return ids;
}

} // namespace

TEST_CASE("tokens that only special_tokens_map.json names are special") {
  const byte_folder folder;
  CHECK(folder.read().encode("<s>x", special_tokens::allowed) == bytes("<s>x"));
  for (const char* file : {"special_tokens_map.json", "tokenizer_config.json"}) {
    folder.write(
        file, R"({"bos_token": "<s>", "eos_token": {"content": "</s>", "lstrip": true}, "pad_token": null})");
    const tokenizer made = folder.read();
    CHECK(made.encode("<s>x  </s>", special_tokens::allowed) == tokens{256, 'x', 257});
    CHECK(made.encode("<s>") == bytes("<s>"));
    CHECK((made.is_special(256) && made.is_special(257) && !made.is_special(258)));
    CHECK(made.encode_prompt("x") == tokens{'x'});
    CHECK(made.note().empty());
    folder.remove(file);
  }
  folder.write("special_tokens_map.json", R"({"additional_special_tokens": ["ab", "</s>"]})");
  CHECK(folder.read().encode("ab", special_tokens::allowed) == tokens{258});
  CHECK(folder.read().is_special(258));
  folder.write("special_tokens_map.json", R"({"pad_token": "<pad>"})");
  CHECK_THAT(folder.read().note(),
             ContainsSubstring("special_tokens_map.json: pad_token: no token is \"<pad>\""));
  CHECK(folder.read().vocabulary_size() == 259);
}

TEST_CASE("added_tokens_decoder says how tokens are found") {
  const byte_folder folder;
  folder.write("added_tokens.json", R"({"<rel>": 259})");
  CHECK(folder.read().encode("a<rel>") == bytes("a<rel>")); // special, where nothing else is said
  const auto config = [&](const std::string& flags) {
    folder.write("tokenizer_config.json",
                 R"({"added_tokens_decoder": {"259": {"content": "<rel>", )" + flags + "}}}");
    return folder.read();
  };
  CHECK(config(R"("special": false)").encode("x<rel>y") == tokens{'x', 259, 'y'});
  CHECK(config(R"("special": false, "lstrip": true, "rstrip": true)").encode("x <rel> y") ==
        tokens{'x', 259, 'y'});
  CHECK(config(R"("special": false, "single_word": true)").encode("x<rel>y") == bytes("x<rel>y"));
  CHECK(config(R"("special": true)").encode("x<rel>y") == bytes("x<rel>y"));
  folder.remove("added_tokens.json");
  CHECK(config(R"("special": false)").encode("x<rel>") == tokens{'x', 259}); // a new one
  CHECK(config(R"("special": false)").vocabulary_size() == 260);
  folder.write("tokenizer_config.json", R"({"tokenizer_class": "GPT2Tokenizer"})");
  folder.write("added_tokens.json", R"({"<rel>": 259})");
  CHECK(folder.read().encode("<rel>") == tokens{259}); // no file calls it special
  folder.write("special_tokens_map.json", R"({"pad_token": "<rel>"})");
  CHECK(folder.read().encode("<rel>") == bytes("<rel>"));
}

TEST_CASE("what the files say of tokens that are others is refused") {
  const byte_folder folder;
  const auto refused = [&](const std::string& config, const std::string& words) {
    folder.write("tokenizer_config.json", config);
    CAPTURE(config);
    CHECK_THROWS_AS(folder.read(), tokenizer_error);
    CHECK_THROWS_WITH(folder.read(), ContainsSubstring("tokenizer_config.json") && ContainsSubstring(words));
  };
  const auto decoder = [](const std::string& id, const std::string& token) {
    return R"({"added_tokens_decoder": {")" + id + "\": " + token + "}}";
  };
  refused("[1]", "the file is an array of 1 value; supported: an object");
  refused(R"({"added_tokens_decoder": [1]})", "added_tokens_decoder is an array");
  refused(decoder("x", R"({"content": "<x>"})"), "added_tokens_decoder.x");
  refused(decoder("99999999999", R"({"content": "<x>"})"), "whole numbers as keys");
  refused(decoder("300", R"({"content": "<x>"})"), "no token has id 259");
  refused(decoder("5", R"({"content": "<x>"})"), "id 5 is");
  refused(decoder("5", R"({"content": "<s>"})"), "has id 256 in the vocabulary");
  refused(decoder("259", R"({"content": ""})"), "a token is empty");
  refused(decoder("259", R"({"special": true})"), "content");
  refused(decoder("259", R"({"content": "<x>", "special": 1})"), "special is 1");
  refused(decoder("259", "3"), "content");
  refused(R"({"add_bos_token": true})", "add_bos_token is true, but no token is the bos_token");
  refused(R"({"add_eos_token": "yes"})", "add_eos_token is \"yes\"");
  refused(R"({"bos_token": 3})", "bos_token");
  refused(R"({"add_prefix_space": 1})", "add_prefix_space is 1");
  folder.write("tokenizer_config.json", "{");
  CHECK_THROWS_AS(folder.read(), format_error);
}

TEST_CASE("what is put around a prompt, and before a text") {
  const byte_folder folder;
  const std::string named =
      R"({"bos_token": "<s>", "eos_token": "</s>", "sep_token": "</s>", "cls_token": "<s>")";
  const auto config = [&](const std::string& more) {
    folder.write("tokenizer_config.json", named + more + "}");
    return folder.read();
  };
  CHECK(config("").encode_prompt("x") == tokens{'x'});
  CHECK(config(R"(, "add_bos_token": true)").encode_prompt("x") == tokens{256, 'x'});
  CHECK(config(R"(, "add_bos_token": true, "add_eos_token": true)").encode_prompt("x") ==
        tokens{256, 'x', 257});
  CHECK(config(R"(, "tokenizer_class": "RobertaTokenizerFast")").encode_prompt("x") == tokens{256, 'x', 257});
  CHECK(config(R"(, "tokenizer_class": "XLNetTokenizer")").encode_prompt("x") == tokens{'x', 257, 256});
  CHECK(config(R"(, "tokenizer_class": "GPT2Tokenizer")").encode_prompt("x") == tokens{'x'});
  CHECK(config(R"(, "add_prefix_space": true)").encode("x") == tokens{' ', 'x'});
  CHECK(config(R"(, "add_prefix_space": true)").encode(" x") == tokens{' ', 'x'});
  CHECK(config(R"(, "add_prefix_space": false)").encode("x") == tokens{'x'});
}

TEST_CASE("a tokenizer.json's template counts until tokenizer_config.json says something else") {
  const byte_folder folder;
  const json table = parse_json(support::read_file(support::fixture("text/small/vocab.json")), "vocab.json");
  const json roberta = {{"type", "RobertaProcessing"},
                        {"sep", json::array({"<|endoftext|>", 656})},
                        {"cls", json::array({"a", table["a"]})},
                        {"trim_offsets", true},
                        {"add_prefix_space", false}};
  const json level = {{"type", "ByteLevel"}, {"add_prefix_space", false}};
  json file = {{"model", {{"type", "BPE"}, {"vocab", table}, {"merges", json::array()}}},
               {"pre_tokenizer", level},
               {"decoder", level},
               {"post_processor", roberta}};
  folder.remove("vocab.json");
  folder.write("tokenizer.json", file.dump());
  const token_id a = table["a"], x = table["x"];
  CHECK(folder.read().encode_prompt("x") == tokens{a, x, 656});
  folder.write("tokenizer_config.json", R"({"add_bos_token": false, "add_prefix_space": false})");
  CHECK(folder.read().encode_prompt("x") == tokens{x});
  folder.write("tokenizer_config.json", R"({"add_eos_token": true, "eos_token": "<|endoftext|>"})");
  CHECK(folder.read().encode_prompt("x") == tokens{x, 656});
}

TEST_CASE("a SentencePiece model with the files beside it") {
  const support::temporary_folder folder;
  using support::model_piece;
  support::write_file(folder / "spiece.model", model_piece("<pad>", 0, 3) + model_piece("</s>", 0, 3) +
                                                   model_piece("<unk>", 0, 2) + model_piece("▁", -2) +
                                                   model_piece("a", -2));
  const auto read = [&](const std::string& config) {
    support::write_file(folder / "tokenizer_config.json", config);
    return load_tokenizer_folder(folder.path());
  };
  CHECK(read("{}").encode_prompt("a") == tokens{3, 4});
  const tokenizer t5 = read(R"({"tokenizer_class": "T5Tokenizer", "eos_token": "</s>"})");
  CHECK(t5.vocabulary_size() == 105);
  CHECK(t5.encode_prompt("a <extra_id_0> a", special_tokens::allowed) == tokens{3, 4, 104, 3, 4, 1});
  CHECK(t5.bytes(5) == "<extra_id_99>");
  CHECK(
      read(R"({"tokenizer_class": "T5Tokenizer", "eos_token": "</s>", "extra_ids": 0})").vocabulary_size() ==
      5);
  CHECK(read(R"({"add_bos_token": true, "bos_token": "<pad>"})").encode_prompt("a") == tokens{0, 3, 4});
  CHECK(read(R"({"add_prefix_space": false})").encode("a") == tokens{4});
  CHECK_THROWS_WITH(read(R"({"tokenizer_class": "XLMRobertaTokenizer"})"),
                    ContainsSubstring("whose ids are not those of spiece.model"));
  support::write_file(folder / "added_tokens.json", R"({"<x>": 5, "<y>": 6})");
  CHECK(read("{}").encode("<x>").size() > 1);
  CHECK(read(R"({"pad_token": "<pad>"})").encode("a<y>a") == tokens{3, 4, 6, 3, 4});
  CHECK(has_vocabulary(folder.path()));
}
