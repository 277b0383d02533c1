// GPT-2's published vocabulary; skipped where it is absent.
#include <support/catch.hpp>

#include <string>
#include <utility>
#include <vector>

#include <support/temporary_folder.hpp>
#include <transept/core/display.hpp>
#include <transept/text/unicode.hpp>

#include "text_support.hpp"

using namespace transept;
using tokens = std::vector<token_id>;

namespace {

const tokenizer* gpt2() {
  const auto shared = support::shared_dir();
  if (!shared) return nullptr;
  static const tokenizer loaded = load_tokenizer(*shared / "data" / "gpt2");
  return &loaded;
}

const std::vector<std::pair<std::string, tokens>>& known_encodings() {
  static const std::vector<std::pair<std::string, tokens>> table = {
      {"Hello world", {15496, 995}},
      {" Hello World!", {18435, 2159, 0}},
      {"Hello, world!", {15496, 11, 995, 0}},
      {"ied 4 ½ months", {798, 604, 25208, 1933}},
      {"Führer", {37, 9116, 71, 11751}},
      {"", {}},
      {"   ", {220, 220, 220}},
      {"\t", {197}},
      {"\n", {198}},
      {"\n\n", {628}},
      {"\n\n\n", {628, 198}},
      {"\t\n", {197, 198}},
      {"\r\n", {201, 198}},
      {"   Hello", {220, 220, 18435}},
      {"    Hello\n    Hello", {220, 220, 220, 18435, 198, 220, 220, 220, 18435}},
      {"' era", {6, 6980}},
      {"!!!!!!", {13896, 3228}},
      {"3", {18}},
      {"33", {2091}},
      {"333", {20370}},
      {"3333", {24840}},
      {"333333333", {24840, 2091, 20370}},
      {std::string(16, '0'), {25645}},
      {std::string(17, '0'), {8269, 10535, 830}},
      {"I'LL don't DON'T", {40, 6, 3069, 836, 470, 23917, 6, 51}},
      {"it’s", {270, 447, 247, 82}},
      {"w048 7tuijk dsdfhu", {86, 47202, 767, 28047, 45961, 288, 82, 7568, 13415}},
      {"нещо на Български", {22177, 16843, 141,   231, 15166, 12466, 121,   16142, 12466, 239,
                             141,   232,   30143, 140, 111,   16142, 21169, 21727, 31583, 18849}},
      {"Hello, y'all! How are you 😁 ?我想在apple工作1314151天～",
       {15496, 11,    331, 6,     439,   0,  1374,  389,  345,  30325, 223,   5633, 22755, 239, 46349,
        111,   28839, 101, 18040, 32432, 98, 43291, 1485, 1415, 24309, 25465, 171,  121,   252}},
      {"Cửa Việt", {34, 157, 119, 255, 64, 16049, 157, 119, 229, 83}},
      {"\u3000", {5099, 222}},
      {"a\u00a0b", {64, 1849, 65}},
      {"e\u0301", {68, 136, 223}},
      {"é", {2634}},
      {"😁", {47249, 223}},
      {" 😁", {30325, 223}},
      {"歪", {29826, 103}},
      {"<|endoftext|>", {27, 91, 437, 1659, 5239, 91, 29}},
  };
  return table;
}

} // namespace

TEST_CASE("GPT-2's vocabulary gives the published encodings") {
  const tokenizer* tokenizer = gpt2();
  if (!tokenizer) return;
  for (const auto& [text, ids] : known_encodings()) {
    INFO(quoted(text));
    CHECK(tokenizer->encode(text) == ids);
    CHECK(tokenizer->decode(ids) == text);
  }
  CHECK(tokenizer->encode("hello <|endoftext|>", special_tokens::allowed) == tokens{31373, 220, 50256});
}

TEST_CASE("GPT-2's vocabulary has 50,257 tokens laid out as published") {
  const tokenizer* tokenizer = gpt2();
  if (!tokenizer) return;
  CHECK(tokenizer->vocabulary_size() == 50257);
  CHECK(tokenizer->end_of_text() == 50256);
  CHECK(tokenizer->longest_token() == 128);
  CHECK(tokenizer->bytes(35496).size() == 128);
  const std::pair<token_id, unsigned char> bytes[] = {
      {0, '!'},    {93, '~'},   {94, 0xa1}, {106, 0xae}, {187, 0xff}, {188, 0x00}, {197, '\t'},
      {198, '\n'}, {201, '\r'}, {220, ' '}, {221, 0x7f}, {222, 0x80}, {255, 0xad}};
  for (const auto& [id, byte] : bytes) CHECK(tokenizer->bytes(id) == std::string(1, static_cast<char>(byte)));
}

TEST_CASE("every token of GPT-2 that is UTF-8 encodes to itself") {
  const tokenizer* tokenizer = gpt2();
  if (!tokenizer) return;
  std::size_t not_utf8 = 0, not_itself = 0;
  for (token_id id = 0; id < 50257; ++id) {
    std::string_view text = tokenizer->bytes(id);
    const tokens found = tokenizer->encode(text, special_tokens::allowed);
    bool valid = true;
    for (; !text.empty() && valid; text.remove_prefix(first_character(text).length)) {
      valid = first_character(text).code_point != character::not_utf8;
    }
    not_utf8 += !valid;
    not_itself += valid && found != tokens{id};
  }
  CHECK(not_utf8 == 344);
  CHECK(not_itself == 0);
}

TEST_CASE("Shakespeare goes through GPT-2's vocabulary and comes back") {
  const tokenizer* tokenizer = gpt2();
  if (!tokenizer) return;
  const std::string text = support::read_file(*support::shared_dir() / "data" / "tinyshakespeare.txt");
  const tokens ids = tokenizer->encode(text);
  CHECK(ids.size() == 301966 + 36059); // what nanoGPT prints for its two parts
  CHECK(tokenizer->decode(ids) == text);
}

TEST_CASE("a megabyte of one thing goes through GPT-2's vocabulary") {
  const tokenizer* tokenizer = gpt2();
  if (!tokenizer) return;
  for (const std::string_view part : {"a", " ", "😁", "0", "-", "\n", "ab"}) {
    const std::string text = support::repeated(part, 1u << 20);
    CHECK(tokenizer->decode(tokenizer->encode(text)) == text);
  }
}
