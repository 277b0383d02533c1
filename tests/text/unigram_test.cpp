// text/unigram.hpp and the tokenizer.json files that ask for it.
#include <support/catch.hpp>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include <reference/unigram.hpp>
#include <support/temporary_folder.hpp>
#include <transept/core/json.hpp>
#include <transept/text/unigram.hpp>
#include <transept/text/vocabulary_files.hpp>

#include "text_support.hpp"

using namespace transept;
using Catch::ContainsSubstring;
using tokens = std::vector<token_id>;

namespace {

/// The tokens of a text, -1 for each unknown character.
tokens encode(const unigram& model, std::string_view text) {
  tokens ids;
  model.encode(
      text,
      [&](std::string_view run) {
        for (; !run.empty(); run.remove_prefix(first_character(run).length)) ids.push_back(-1);
      },
      ids);
  return ids;
}

/// <unk> 0, <s> 1, ▁ 2, a 3, b 4, ▁a 5, ab 6, ▁ab 7, é 8.
json small_unigram() {
  const auto piece = [](const char* text, double score) { return json::array({text, score}); };
  json added = json::array();
  for (int id = 0; id < 2; ++id)
    added.push_back({{"id", id}, {"content", id == 0 ? "<unk>" : "<s>"}, {"special", true}});
  return {{"added_tokens", added},
          {"normalizer", nullptr},
          {"pre_tokenizer", {{"type", "Metaspace"}, {"replacement", "▁"}, {"prepend_scheme", "always"}}},
          {"decoder", {{"type", "Metaspace"}, {"replacement", "▁"}}},
          {"model",
           {{"type", "Unigram"},
            {"unk_id", 0},
            {"vocab",
             json::array({piece("<unk>", 0), piece("<s>", 0), piece("▁", -2), piece("a", -3), piece("b", -3),
                          piece("▁a", -4), piece("ab", -4.5), piece("▁ab", -6), piece("é", -5)})}}}};
}

tokenizer read(const json& file) { return tokenizer(read_tokenizer_json({"tokenizer.json", file.dump()})); }

} // namespace

TEST_CASE("the best way through a text is that of trying all") {
  support::random_text random(3);
  for (int round = 0; round < 300; ++round) {
    std::vector<scored_piece> pieces;
    std::map<std::string, std::pair<token_id, double>> table;
    for (std::size_t n = random.below(12); n-- > 0;) {
      std::string text;
      for (std::size_t i = 1 + random.below(4); i-- > 0;) text += std::string_view("ab cd")[random.below(4)];
      if (random.below(6) == 0) text = "é" + text;
      const double score = -static_cast<double>(1 + random.below(1u << 20)) / (1 << 16);
      const auto id = static_cast<token_id>(pieces.size());
      if (table.emplace(text, std::pair(id, score)).second) pieces.push_back({text, id, score});
    }
    const unigram model(pieces, -30, false);
    for (int i = 0; i < 10; ++i) {
      std::string text;
      for (std::size_t n = random.below(11); n-- > 0;)
        text += random.below(8) == 0 ? "é" : std::string(1, std::string_view("ab cd")[random.below(5)]);
      CAPTURE(text);
      const auto [sum, expected] = reference::best_segmentation(table, -30, text);
      const tokens found = encode(model, text);
      double own = 0;
      for (const token_id id : found) own += id < 0 ? -30 : pieces[static_cast<std::size_t>(id)].score;
      CHECK(std::abs(own - sum) < 1e-9);
      std::string again;
      for (const token_id id : found) again += id < 0 ? "" : pieces[static_cast<std::size_t>(id)].text;
      if (std::find(found.begin(), found.end(), -1) == found.end()) CHECK(again == text);
    }
  }
}

TEST_CASE("a long text is as good as its words, in single precision too") {
  const std::vector<scored_piece> pieces = {{"a", 0, -3},     {"b", 1, -3.5},  {" a", 2, -4},
                                            {"ab", 3, -4.25}, {"aaaa", 4, -9}, {" ", 5, -2}};
  for (const bool single : {false, true}) {
    const unigram model(pieces, -20, single);
    tokens words;
    std::string text;
    for (int i = 0; i < 20000; ++i) {
      const std::string word = i % 3 == 0 ? " ab" : i % 3 == 1 ? " aab" : " ba";
      text += word;
      for (const token_id id : encode(model, word)) words.push_back(id);
    }
    CHECK(encode(model, text) == words);
    const std::string letters(300001, 'a'); // no place that every way leads through
    CHECK(encode(model, letters).size() == 75001);
    CHECK(encode(model, std::string(100000, 'c')) == tokens(100000, -1));
  }
  CHECK(encode(unigram(), "é") == tokens{-1});
  CHECK(encode(unigram(), "").empty());
}

TEST_CASE("the tokens of a unigram model that was trained by Hugging Face's tokenizers") {
  const auto folder = support::fixture("text/trained");
  const tokenizer made = load_tokenizer(folder / "unigram");
  const json lines = parse_json(support::read_file(folder / "lines.json"), "lines.json");
  const json ids = parse_json(support::read_file(folder / "unigram/ids.json"), "ids.json");
  const json texts = parse_json(support::read_file(folder / "unigram/decoded.json"), "decoded.json");
  REQUIRE(lines.size() == ids.size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    CAPTURE(lines[i]);
    const auto expected = ids[i].get<tokens>();
    CHECK(made.encode(lines[i].get<std::string>(), special_tokens::allowed) == expected);
    CHECK(made.decode(expected) == texts[i].get<std::string>());
  }
}

TEST_CASE("a unigram tokenizer.json: spaces, unknown characters, special tokens, bytes") {
  json file = small_unigram();
  CHECK(read(file).encode("ab") == tokens{7}); // -6 is more than -2 - 4.5
  CHECK(read(file).encode(" ab  a") == tokens{7, 2, 5});
  CHECK(read(file).encode("жжa") == tokens{2, 0, 3}); // unknown characters in a row are one
  CHECK(read(file).encode("\xff") == tokens{2, 0});
  CHECK(read(file).encode("<s>") == tokens{2, 0}); // text, where special tokens are not allowed
  CHECK(read(file).encode("a<s>b", special_tokens::allowed) == tokens{5, 1, 2, 4});
  CHECK(read(file).encode("").empty());
  CHECK(read(file).decode(tokens{7, 2, 5}) == "ab  a");
  CHECK(read(file).is_special(0));
  file["pre_tokenizer"]["prepend_scheme"] = "never";
  CHECK(read(file).encode("ab ab") == tokens{6, 7});
  file["pre_tokenizer"]["prepend_scheme"] = "first";
  CHECK(read(file).encode("a<s>ab", special_tokens::allowed) == tokens{5, 1, 6});
  file["model"]["unk_id"] = nullptr;
  CHECK_THROWS_AS(read(file).encode("ж"), tokenizer_error);
  json& table = file["model"]["vocab"];
  for (const char* byte : {"<0xD0>", "<0xB6>"}) table.push_back(json::array({byte, 0}));
  file["model"]["byte_fallback"] = true;
  CHECK(read(file).encode("ж") == tokens{2, 9, 10});
  CHECK(read(file).decode(tokens{2, 9, 10}) == "ж");
  CHECK_THROWS_AS(read(file).encode("Ж"), tokenizer_error);
}

TEST_CASE("words alone get a space each, where white space is cut out before a Metaspace") {
  json file = small_unigram();
  const json metaspace = file["pre_tokenizer"];
  file["pre_tokenizer"] = {{"type", "Sequence"},
                           {"pretokenizers", json::array({{{"type", "WhitespaceSplit"}}, metaspace})}};
  CHECK(read(file).encode("  ab\t\na b ") == tokens{7, 5, 2, 4});
  CHECK(read(file).encode("a▁a") == tokens{5, 5});
  CHECK(read(file).encode("▁") == tokens{2});
  CHECK(read(file).encode(" \n").empty());
  CHECK(read(file).rules().steps == std::vector{splitting::spaces});
  file["pre_tokenizer"]["pretokenizers"].push_back(metaspace);
  CHECK_THROWS_AS(read(file), tokenizer_error);
}

TEST_CASE("normalizers of unigram models") {
  json file = small_unigram();
  const auto with = [&](const std::vector<json>& steps) {
    file["normalizer"] = {{"type", "Sequence"}, {"normalizers", steps}};
    return read(file);
  };
  const auto replace = [](const json& pattern, const char* content) {
    return json{{"type", "Replace"}, {"pattern", pattern}, {"content", content}};
  };
  const json strip = {{"type", "Strip"}, {"strip_left", false}, {"strip_right", true}};
  const auto plain = [](const char* type) { return json{{"type", type}}; };
  CHECK(with({strip}).encode(" a \u3000") == tokens{5});
  CHECK(with({plain("Strip")}).encode("\n a \n") == tokens{5});
  CHECK(with({replace({{"Regex", " {2,}"}}, " ")}).encode("a   a  a a") == tokens{5, 5, 5, 5});
  CHECK(with({replace({{"Regex", " {2,}"}}, "▁")}).encode("a   a") == tokens{5, 5});
  CHECK(with({replace({{"Regex", "\\s+"}}, " ")}).encode("a\n\t a") == tokens{5, 5});
  CHECK(with({replace({{"Regex", "\\s"}}, "b")}).encode("a\u3000 a") == read(small_unigram()).encode("abba"));
  CHECK(with({replace({{"String", "``"}}, "a")}).encode("```") == tokens{5, 0});
  CHECK(with({replace({{"String", "  "}}, " ")}).encode("a   a") == tokens{5, 2, 5}); // once
  CHECK(with({plain("NFKD"), plain("StripAccents"), plain("Lowercase")}).encode("ÀＢ") == tokens{7});
  CHECK(with({plain("NFD"), plain("NFC")}).encode("e\u0301") == tokens{2, 8});
  CHECK(with({plain("Nmt")}).encode("a\u200ba\x01") == tokens{5, 5});
  CHECK_THROWS_WITH(with({replace({{"Regex", "x*"}}, " ")}), ContainsSubstring("normalizers[0].pattern"));
  const auto map = [](const char* bytes) {
    return json{{"type", "Precompiled"}, {"precompiled_charsmap", bytes}};
  };
  CHECK_THROWS_AS(with({map("!")}), tokenizer_error);
  CHECK_THROWS_AS(with({map("AAAA")}), format_error);
  CHECK(with({plain("Precompiled")}).encode("a") == tokens{5}); // of a model without a table
}

TEST_CASE("a unigram model that is none is refused with the key") {
  const auto refused = [&](const char* key, const json& value, const std::string& words) {
    json file = small_unigram();
    file[json::json_pointer(key)] = value;
    INFO(key << " = " << value);
    CHECK_THROWS_AS(read(file), tokenizer_error);
    CHECK_THROWS_WITH(read(file), ContainsSubstring("tokenizer.json: ") && ContainsSubstring(words));
  };
  refused("/model/vocab", json::array(), "model.vocab");
  refused("/model/vocab", json::object(), "model.vocab is an object");
  refused("/model/vocab/3", "a", "model.vocab[3] is \"a\"; supported: a piece and its score");
  refused("/model/vocab/3", json::array({"a", "x"}), "model.vocab[3]");
  refused("/model/vocab/3", json::array({"", 0}), "empty");
  refused("/model/vocab/3", json::array({"b", 0}), "has two ids, 3 and 4");
  refused("/model/unk_id", 9, "model.unk_id: no token has id 9");
  refused("/model/unk_id", "x", "model.unk_id");
  refused("/model/byte_fallback", 3, "byte_fallback");
  refused("/decoder/type", "ByteLevel", "decoder");
  refused("/pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", true}}, "pre_tokenizer");
}
