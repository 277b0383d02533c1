// What a tokenizer.json says besides merges: small vocabularies, by hand, with what Hugging Face's tokenizers
// makes of them.
#include <support/catch.hpp>

#include <array>
#include <string>
#include <vector>

#include <transept/core/json.hpp>
#include <transept/text/byte_pairs.hpp>
#include <transept/text/stream_decoder.hpp>
#include <transept/text/vocabulary_files.hpp>

#include "text_support.hpp"

using namespace transept;
using Catch::ContainsSubstring;
using tokens = std::vector<token_id>;

namespace {

/// "<0x0A>".
std::string byte_name(int byte) {
  constexpr const char* digits = "0123456789ABCDEF";
  return std::string("<0x") + digits[byte / 16] + digits[byte % 16] + ">";
}

json added(const char* text, token_id id, bool special, const json& flags = json::object()) {
  json token = {{"id", id},        {"content", text},     {"single_word", false}, {"lstrip", false},
                {"rstrip", false}, {"normalized", false}, {"special", special}};
  token.update(flags);
  return token;
}

/// LLaMA's kind: characters, bytes for those without a token, ▁ for spaces. <unk> <s> </s>, bytes from 3 on,
/// then ▁ 259, a 260, b 261, é 262, ▁a 263, ab 264, ▁ab 265, ▁▁ 266.
json llamas_kind() {
  json table = {{"<unk>", 0}, {"<s>", 1}, {"</s>", 2}};
  for (int byte = 0; byte < 256; ++byte) table[byte_name(byte)] = 3 + byte;
  int next = 259;
  for (const char* token : {"▁", "a", "b", "é", "▁a", "ab", "▁ab", "▁▁"}) table[token] = next++;
  const json prepend = {{"type", "Prepend"}, {"prepend", "▁"}};
  const json replace = {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", "▁"}};
  const json begin = {{"SpecialToken", {{"id", "<s>"}, {"type_id", 0}}}};
  const json text = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
  return {
      {"added_tokens", json::array({added("<unk>", 0, true), added("<s>", 1, true), added("</s>", 2, true)})},
      {"normalizer", {{"type", "Sequence"}, {"normalizers", json::array({prepend, replace})}}},
      {"pre_tokenizer", nullptr},
      {"post_processor",
       {{"type", "TemplateProcessing"},
        {"single", json::array({begin, text})},
        {"special_tokens", {{"<s>", {{"id", "<s>"}, {"ids", json::array({1})}}}}}}},
      {"decoder", {{"type", "Sequence"}}},
      {"model",
       {{"type", "BPE"},
        {"unk_token", "<unk>"},
        {"fuse_unk", true},
        {"byte_fallback", true},
        {"vocab", table},
        {"merges", json::array({"▁ a", "a b", "▁a b", "▁ ▁"})}}}};
}

tokenizer read(const json& file) { return tokenizer(read_tokenizer_json({"tokenizer.json", file.dump()})); }

/// A byte-level vocabulary of the 256 bytes, with this as its pre_tokenizer.
json bytes_kind(const json& pre_tokenizer) {
  json table;
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    table[to_byte_alphabet({&c, 1})] = byte;
  }
  return {{"pre_tokenizer", pre_tokenizer},
          {"decoder", {{"type", "ByteLevel"}}},
          {"model", {{"type", "BPE"}, {"vocab", table}, {"merges", json::array()}}}};
}

} // namespace

TEST_CASE("characters, with bytes for those that have no token, and ▁ for spaces") {
  const tokenizer llama = read(llamas_kind());
  CHECK(llama.encode("ab") == tokens{265});
  CHECK(llama.encode("ab ab") == tokens{265, 265});
  CHECK(llama.encode("b  a") == tokens{259, 261, 259, 263}); // ▁ and a meet before ▁ and ▁
  CHECK(llama.encode("é\n") == tokens{259, 262, 3 + '\n'});
  CHECK(llama.encode("ж") == tokens{259, 3 + 0xd0, 3 + 0xb6});
  CHECK(llama.encode("\xff") == tokens{259, 3 + 0xff});
  CHECK(llama.encode("▁a") == llama.encode(" a"));
  CHECK(llama.encode("").empty());
  CHECK(llama.encode_prompt("ab") == tokens{1, 265});
  CHECK(llama.encode_prompt("") == tokens{1});
  CHECK(llama.encode("<s>ab", special_tokens::allowed) ==
        tokens{1, 265}); // a text of its own, with its space
  CHECK(llama.decode(tokens{265, 265}) == "ab ab");
  CHECK(llama.decode(tokens{1, 265, 2}) == "<s> ab</s>");
  CHECK(llama.decode(tokens{1, 265, 2}, decoded_tokens::without_special) == "ab");
  CHECK(llama.bytes(265) == " ab");
  CHECK((llama.is_special(1) && !llama.is_special(265)));
  CHECK_FALSE(llama.may_cut_before("ab ab", 2)); // a part would get a space of its own
  stream_decoder stream(llama, decoded_tokens::without_special);
  std::string text;
  for (const token_id each : {1, 265, 3 + 0xd0, 3 + 0xb6, 2}) text += stream.push(each);
  CHECK(text + std::string(stream.flush()) == " abж");
}

TEST_CASE("a long text of characters is merged as a whole, wherever it is cut on the way") {
  const vocabulary from = read_tokenizer_json({"tokenizer.json", llamas_kind().dump()});
  const tokenizer llama(from);
  const byte_pairs pairs(from.byte_tokens, from.merges);
  support::random_text random(8);
  for (int i = 0; i < 200; ++i) {
    std::string text;
    tokens symbols{259}; // the space that the rules put there
    for (std::size_t length = 30 + random.below(300); symbols.size() < length;) {
      const std::size_t which = random.below(6), times = random.below(8) == 0 ? 40 : 1;
      for (std::size_t j = 0; j < times; ++j) {
        text += std::array{" ", "a", "b", "é", "ж", "\xff"}[which];
        if (which < 4) symbols.push_back(static_cast<token_id>(259 + which));
        if (which == 4) symbols.insert(symbols.end(), {3 + 0xd0, 3 + 0xb6});
        if (which == 5) symbols.push_back(3 + 0xff);
      }
    }
    tokens expected;
    pairs.merge(symbols, expected);
    REQUIRE(llama.encode(text) == expected);
  }
}

TEST_CASE("pieces are not cut where the unknown token takes part in a merge") {
  const json file = {{"pre_tokenizer", nullptr},
                     {"model",
                      {{"type", "BPE"},
                       {"unk_token", "a"},
                       {"fuse_unk", false},
                       {"vocab", {{"a", 0}, {"b", 1}, {"ab", 2}}},
                       {"merges", json::array({"a b"})}}}};
  for (const std::size_t count : {10u, 11u, 40u})
    CHECK(read(file).encode(support::repeated("жb", 3 * count)) == tokens(count, 2));
}

TEST_CASE("what has neither a token nor bytes is the unknown token, or an error") {
  json file = llamas_kind();
  file["model"]["byte_fallback"] = false;
  CHECK(read(file).encode("жжa") == tokens{259, 0, 260});
  file["model"]["fuse_unk"] = false;
  CHECK(read(file).encode("жж") == tokens{259, 0, 0});
  file["model"]["unk_token"] = nullptr;
  CHECK_THROWS_AS(read(file).encode("ж"), tokenizer_error);
  CHECK_THROWS_WITH(read(file).encode("ж"), ContainsSubstring("lacks a character"));
  file["model"]["unk_token"] = "<none>";
  CHECK_THROWS_WITH(read(file), ContainsSubstring("model.unk_token: \"<none>\" is not a token"));
}

TEST_CASE("Metaspace puts a space before the first word, or before every one between added tokens") {
  json file = llamas_kind();
  file["normalizer"] = nullptr;
  file["pre_tokenizer"] = {
      {"type", "Metaspace"}, {"replacement", "▁"}, {"prepend_scheme", "first"}, {"split", false}};
  CHECK(read(file).encode("ab<s>ab", special_tokens::allowed) == tokens{265, 1, 264});
  CHECK(read(file).encode(" ab") == tokens{265});
  CHECK(read(file).encode("a  a") == tokens{263, 259, 263});
  file["pre_tokenizer"]["prepend_scheme"] = "always";
  CHECK(read(file).encode("ab<s>ab", special_tokens::allowed) == tokens{265, 1, 265});
  file["pre_tokenizer"]["prepend_scheme"] = "never";
  CHECK(read(file).encode("ab") == tokens{264});
  file["model"]["merges"] = json::array({"▁ ▁"});
  CHECK(read(file).encode("b  b") == tokens{261, 266, 261});
  file["pre_tokenizer"]["split"] = true;
  CHECK(read(file).encode("b  b") == tokens{261, 259, 259, 261});
}

TEST_CASE("words that end are told apart (GPT-1)") {
  json table = {{"<unk>", 0}, {"a", 1}, {"b", 2}, {"a</w>", 3}, {"b</w>", 4}, {"ab</w>", 5}, {"!</w>", 6}};
  const json file = {{"normalizer", {{"type", "BertNormalizer"}}},
                     {"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
                     {"decoder", {{"type", "BPEDecoder"}, {"suffix", "</w>"}}},
                     {"model",
                      {{"type", "BPE"},
                       {"unk_token", "<unk>"},
                       {"end_of_word_suffix", "</w>"},
                       {"vocab", table},
                       {"merges", json::array({"a b</w>"})}}}};
  const tokenizer gpt = read(file);
  CHECK(gpt.encode("AB ÀB!") == tokens{5, 5, 6});
  CHECK(gpt.encode("ba a") == tokens{2, 3, 3});
  CHECK(gpt.encode("a\x01\u0301 xb") == tokens{3, 0, 4});
  CHECK(gpt.decode(tokens{5, 3, 6}) == "ab a !");
}

TEST_CASE("added tokens take spaces beside them, or stand alone, or are looked for in the normalized text") {
  json file = bytes_kind({{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", true}});
  const auto with = [&](const char* text, bool special, const json& flags) {
    file["added_tokens"] = json::array({added(text, 256, special, flags)});
    return read(file);
  };
  const auto in_bytes = [](std::string_view text) {
    tokens ids;
    for (const char byte : text) ids.push_back(static_cast<unsigned char>(byte));
    return ids;
  };
  const auto around = [&](std::string_view before, std::string_view behind) {
    tokens ids = in_bytes(before);
    ids.push_back(256);
    for (const token_id id : in_bytes(behind)) ids.push_back(id);
    return ids;
  };
  CHECK(with("<m>", false, {{"lstrip", true}}).encode("x \u3000<m> y") == around("x", " y"));
  CHECK(with("<m>", false, {{"rstrip", true}}).encode("x <m> \ny") == around("x ", "y"));
  CHECK(with("<m>", false, {{"lstrip", true}, {"rstrip", true}}).encode("<m> <m>") == tokens{256, 256});
  const tokenizer word = with("foo", false, {{"single_word", true}});
  CHECK(word.encode("foo") == tokens{256});
  CHECK(word.encode("a foo.") == around("a ", "."));
  CHECK(word.encode("food") == in_bytes("food"));
  CHECK(word.encode("éfoo") == in_bytes("éfoo"));
  CHECK(word.encode("foo_") == in_bytes("foo_"));
  file["normalizer"] = {{"type", "Lowercase"}};
  CHECK(with("Foo", false, {{"normalized", true}}).encode("A FOO") == around("a ", ""));
  CHECK(with("Foo", false, json::object()).encode("FOO Foo") == around("foo ", ""));
  CHECK(with("Foo", true, {{"normalized", true}}).encode("FOO") == in_bytes("foo"));
  CHECK(with("Foo", true, {{"normalized", true}}).encode("FOO", special_tokens::allowed) == tokens{256});
}

TEST_CASE("a space before every text, where a ByteLevel puts it") {
  const json file = bytes_kind({{"type", "ByteLevel"}, {"add_prefix_space", true}});
  CHECK(read(file).encode("a") == tokens{' ', 'a'});
  CHECK(read(file).encode(" a") == tokens{' ', 'a'});
  CHECK(read(file).decode(tokens{' ', 'a'}) == " a"); // as it was asked for
}

TEST_CASE("a piece that is a token is it, where merges are to be ignored") {
  json file = bytes_kind({{"type", "ByteLevel"}, {"add_prefix_space", false}});
  file["model"]["vocab"]["abc"] = 256;
  CHECK(read(file).encode("abc") == tokens{'a', 'b', 'c'});
  file["model"]["ignore_merges"] = true;
  CHECK(read(file).encode("abc abcd") == tokens{256, ' ', 'a', 'b', 'c', 'd'});
}

TEST_CASE("bytes that a vocabulary of bytes lacks are left out, as by transformers") {
  json file = bytes_kind({{"type", "ByteLevel"}, {"add_prefix_space", false}});
  file["model"]["vocab"].erase("À"); // 0xC0, which is in no UTF-8
  file["model"]["vocab"]["ab"] = 0xc0;
  file["model"]["merges"] = json::array({"a b"});
  CHECK(read(file).encode("xa\xc0"
                          "b") == tokens{'x', 'a', 'b'}); // 0xC0 is a piece of its own
  CHECK(read(file).encode("ab") == tokens{0xc0});
  file["added_tokens"] = json::array({added("À", 256, false)});
  CHECK(read(file).encode("À") == tokens{256}); // a text, not the byte that is written so
}

TEST_CASE("a vocab.json that says something else than tokenizer.json is told of") {
  const source_text file{"tokenizer.json",
                         bytes_kind({{"type", "ByteLevel"}, {"add_prefix_space", false}}).dump()};
  json table = parse_json(file.text, file.name)["model"]["vocab"];
  const auto note = [&] {
    return tokenizer(read_tokenizer_json(file, source_text{"vocab.json", table.dump()})).note();
  };
  CHECK(note().empty());
  table["a"] = 7;
  CHECK(note() ==
        "vocab.json disagrees with tokenizer.json about token \"a\" (7, 97): tokenizer.json counts");
  table.erase("a");
  CHECK(note() == "vocab.json lacks 1 tokens that tokenizer.json has: tokenizer.json counts");
  CHECK(read_tokenizer_json(file, source_text{"vocab.json", table.dump()}).tokens[97] == "a");
}
