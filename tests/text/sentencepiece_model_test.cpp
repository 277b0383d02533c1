// text/sentencepiece_model.hpp: against SentencePiece itself (fixtures/text/sentencepiece, made by it), and
// models made here, byte by byte.
#include <support/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <support/temporary_folder.hpp>
#include <transept/core/json.hpp>
#include <transept/io/gguf_writer.hpp>
#include <transept/text/sentencepiece_model.hpp>

#include "sentencepiece_support.hpp"
#include "text_support.hpp"

using namespace transept;
using Catch::ContainsSubstring;
using support::bytes_field, support::model_piece, support::number_field;
using tokens = std::vector<token_id>;
namespace fs = std::filesystem;

namespace {

tokenizer read(const std::string& model) { return tokenizer(read_sentencepiece_model({"m.model", model})); }

/// What SentencePiece made of the lines, and this.
void check_lines(const tokenizer& made, const fs::path& lines_file, const fs::path& expected_file) {
  const json lines = parse_json(support::read_file(lines_file), "lines.json");
  const json expected = parse_json(support::read_file(expected_file), "expected.json");
  REQUIRE(expected["ids"].size() == lines.size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    CAPTURE(lines[i]);
    const auto ids = expected["ids"][i].get<tokens>();
    CHECK(made.encode(lines[i].get<std::string>()) == ids);
    CHECK(made.decode(ids) == expected["decoded"][i].get<std::string>());
  }
}

/// <unk> 0, <s> 1, ▁ 2, a 3, b 4, ▁a 5, ab 6, ▁ab 7, <sep> 8 (user-defined); `type`: 1 unigram, 2 BPE, 4
/// char.
std::string small_model(unsigned type, const std::string& normalizer = "", const std::string& training = "") {
  return model_piece("<unk>", 0, 2) + model_piece("<s>", 0, 3) + model_piece("▁", -2) + model_piece("a", -3) +
         model_piece("b", -3) + model_piece("▁a", -4) + model_piece("ab", -4.5f) + model_piece("▁ab", -6) +
         model_piece("<sep>", 0, 4) + bytes_field(2, number_field(3, type) + training) +
         bytes_field(3, normalizer);
}

} // namespace

TEST_CASE("SentencePiece's models give its ids and texts") {
  const auto folder = support::fixture("text/sentencepiece");
  for (const char* name : {"unigram_bytes_identity", "bpe_bytes"}) {
    CAPTURE(name);
    check_lines(load_tokenizer(folder / name), folder / "lines.json", folder / name / "expected.json");
  }
}

TEST_CASE("SentencePiece's models with tables of characters give its ids and texts") {
  const auto shared = support::shared_dir();
  if (!shared) return;
  const auto folder = *shared / "oracle" / "tokenizer_sentencepiece";
  for (const std::string name : {"unigram", "unigram_lower", "unigram_bytes_identity", "bpe_bytes"}) {
    CAPTURE(name);
    check_lines(read(support::read_file(folder / (name + ".model"))), folder / "lines.json",
                folder / (name + ".json"));
  }
}

TEST_CASE("models as they are downloaded load") {
  const auto shared = support::shared_dir();
  if (!shared) return;
  const support::temporary_folder unpacked;
  const auto unpack = [&](const std::string& name) {
    const fs::path packed = *shared / "data" / "tokenizers" / name, file = unpacked / "tokenizer.model";
    REQUIRE(std::system(("gzip -dc '" + packed.string() + "' > '" + file.string() + "'").c_str()) == 0);
    return load_tokenizer(unpacked.path());
  };
  const tokenizer t5 = unpack("t5.sentencepiece.model.gz");
  CHECK(t5.vocabulary_size() == 32000);
  CHECK(t5.encode("Hello world") == tokens{8774, 296});
  CHECK(t5.decode(t5.encode("  Das   ist ﬁne. ")) == "Das ist fine.");
  const tokenizer llama = unpack("llama2.tokenizer.model.gz");
  CHECK(llama.encode("Hello world") == tokens{15043, 3186});
  CHECK(llama.decode(llama.encode("  Das\n \xff")) == "  Das\n \xff");
}

TEST_CASE("unigram, bpe and char models, with spaces as SentencePiece has them") {
  const tokenizer unigram = read(small_model(1)), bpe = read(small_model(2)),
                  characters = read(small_model(4));
  CHECK(unigram.encode("ab") == tokens{7});
  CHECK(bpe.encode("aab") == tokens{5, 6});
  CHECK(characters.encode("ab") == tokens{2, 3, 4});
  for (const tokenizer* each : {&unigram, &bpe, &characters}) {
    CHECK(each->encode("  ab   ab ") == each->encode("ab ab")); // extra spaces go
    CHECK(each->encode("   ").empty());
    CHECK(each->encode("").empty());
    CHECK(each->encode("<s>").size() > 1); // text, where special tokens are not allowed
    CHECK(each->encode("<s>", special_tokens::allowed) == tokens{1});
    CHECK(each->encode("жж") == tokens{2, 0}); // one
    CHECK(each->decode(each->encode("ab жж a")) == "ab  ⁇  a");
    CHECK(each->decode(tokens{1, 0}, decoded_tokens::without_special).empty());
    CHECK(each->rules().before.empty());
  }
  const std::string keeps = number_field(4, 0), no_prefix = number_field(3, 0);
  CHECK(read(small_model(1, keeps)).encode(" ab ") == tokens{2, 7, 2});
  CHECK(read(small_model(1, no_prefix)).encode("ab ab") == tokens{6, 7});
  CHECK(read(small_model(1, keeps + no_prefix)).encode(" ab ") == tokens{7, 2});
  CHECK(read(small_model(2, keeps)).encode(" ab ") == tokens{2, 7, 2});
  CHECK(read(small_model(1, "", bytes_field(44, "?"))).decode(tokens{0}) == "?");
  CHECK(read(small_model(1, number_field(5, 0))).encode("ab") == tokens{0, 6}); // spaces are no ▁
  const std::string none_written = bytes_field(2, number_field(3, 1));          // scores and kinds left out
  CHECK(read(bytes_field(1, bytes_field(1, "<unk>") + number_field(3, 2)) +
             bytes_field(1, bytes_field(1, "▁a")) + none_written)
            .encode("a") == tokens{1});
}

TEST_CASE("spaces may stand behind words") {
  const std::string model =
      model_piece("<unk>", 0, 2) + model_piece("a", -3) + model_piece("a▁", -4) + model_piece("▁", -3);
  for (const unsigned type : {1u, 2u}) {
    const tokenizer made = read(model + bytes_field(2, number_field(3, type) + number_field(24, 1)));
    CHECK(made.encode(" a  a") == tokens{2, 2});
    CHECK(made.encode("").empty());
    CHECK(made.decode(tokens{2, 2}) == "a a ");
  }
}

TEST_CASE("texts that a user defined are taken wherever they are, and left as they are") {
  const std::string map =
      bytes_field(2, support::character_map_of({{"s", "b"}, {"ж", "a"}, {"ж\u0301", "b"}}));
  for (const unsigned type : {1u, 2u}) {
    const tokenizer made = read(small_model(type, map));
    CHECK(made.encode("a<sep>жs") == tokens{5, 8, 6});
    CHECK(made.encode("<sep>") == tokens{2, 8});
    CHECK(made.encode("<sep> <sep>") == tokens{2, 8, 2, 8});
    CHECK(made.encode("ж\u0301") == read(small_model(type)).encode("b")); // the longest string of the table
    CHECK(made.decode(tokens{5, 8}) == "a<sep>");
    CHECK_FALSE(made.is_special(8));
  }
}

TEST_CASE("a unigram model in a GGUF file is SentencePiece's") {
  const support::temporary_folder folder;
  const std::vector<std::string> symbols = {"<pad>", "</s>", "<unk>", "▁", "a", "▁a", "<sep>", "b"};
  std::vector<float> scores = {0, 0, 0, -2, -3, -4, 0, -3};
  const std::vector<std::int32_t> kinds = {3, 3, 2, 1, 1, 1, 4, 1};
  const std::string map = support::character_map_of({{"ж", "b"}});
  const auto read_gguf = [&] {
    gguf_keys keys;
    keys.add("general.architecture", "t5");
    keys.add("tokenizer.ggml.model", "t5");
    keys.add("tokenizer.ggml.tokens", std::span<const std::string>(symbols));
    keys.add("tokenizer.ggml.token_type", std::span<const std::int32_t>(kinds));
    keys.add("tokenizer.ggml.scores", std::span<const float>(scores));
    keys.add("tokenizer.ggml.eos_token_id", std::uint32_t{1});
    keys.add("tokenizer.ggml.precompiled_charsmap",
             std::span<const std::int32_t>(std::vector<std::int32_t>(map.begin(), map.end())));
    gguf_stream file(folder / "m.gguf", keys, {});
    file.commit();
    return load_tokenizer(folder / "m.gguf");
  };
  const tokenizer made = read_gguf();
  CHECK(made.encode(" aж<sep>  a") == tokens{5, 7, 6, 5});
  CHECK(made.encode_prompt("aц") == tokens{5, 2, 1});
  CHECK(made.decode(tokens{5, 7, 1}, decoded_tokens::without_special) == "ab");
  scores[4] = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_AS(read_gguf(), tokenizer_error);
  scores.pop_back();
  CHECK_THROWS_AS(read_gguf(), tokenizer_error);
}

TEST_CASE("bytes stand for characters that have no piece") {
  std::string model = small_model(1, "", number_field(35, 1));
  CHECK_THROWS_WITH(read(model), ContainsSubstring("expected 256 pieces of type byte, found 0"));
  for (int byte = 0; byte < 256; ++byte) {
    constexpr const char* digits = "0123456789ABCDEF";
    model += model_piece(std::string("<0x") + digits[byte / 16] + digits[byte % 16] + ">", 0, 6);
  }
  CHECK(read(model).encode("ж") == tokens{2, 9 + 0xd0, 9 + 0xb6});
  CHECK(read(model).decode(read(model).encode("ж\xff")) == "ж\xff");
  CHECK(read(model).encode("<0x0A>").size() > 2); // a text like any other
}

TEST_CASE("a model that contradicts itself is refused") {
  const auto refused = [](const std::string& model, const std::string& words) {
    CHECK_THROWS_AS(read(model), tokenizer_error);
    CHECK_THROWS_WITH(read(model), ContainsSubstring("m.model: ") && ContainsSubstring(words));
  };
  refused(small_model(3), "model_type is 3");
  refused(small_model(1) + model_piece("<unk2>", 0, 2), "expected one piece of type unknown, found 2");
  refused(small_model(1) + model_piece("a", 0), "has two ids, 3 and 9");
  refused(small_model(1) + model_piece("", 0), "a token is empty");
  refused(small_model(1) + model_piece("x", 0, 9), "expected a type from 1 to 6, found 9");
  refused(small_model(1) + model_piece("<0x00>", 0, 6), "expected no pieces of type byte, found 1");
  const auto damaged = [](const std::string& model, const std::string& words) {
    CHECK_THROWS_AS(read(model), format_error);
    CHECK_THROWS_WITH(read(model), ContainsSubstring("m.model: ") && ContainsSubstring(words));
  };
  damaged("", "it has no pieces");
  damaged(model_piece("\xff", 0), "is no UTF-8");
  damaged(model_piece("x", std::numeric_limits<float>::quiet_NaN()), "is no number");
  damaged(model_piece("x", std::numeric_limits<float>::infinity()), "is no number");
  damaged(number_field(1, 7), "field 1 has wire type 0, expected 2");
  damaged(bytes_field(1, number_field(1, 7)), "field 1 has wire type 0, expected 2");
  damaged(bytes_field(1, bytes_field(2, "abcd")), "field 2 has wire type 2, expected 5");
  damaged("\x0b", "wire type 3");
  damaged(std::string("\x02\x00", 2), "number that no field has");
  damaged("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "cut off");
  damaged("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "more than 64 bits");
  damaged("<!DOCTYPE html><html>", "m.model");
  damaged(small_model(1, bytes_field(2, "abc")), "precompiled_charsmap");
  // What is not known is skipped.
  const std::string more = number_field(99, 5) + bytes_field(98, "xyz") + support::real_field(97, 1) +
                           std::string("\xe1\x05") + "12345678";
  CHECK(read(small_model(1) + more).encode("ab") == tokens{7});
  CHECK_THAT(read(small_model(1) + bytes_field(5, bytes_field(2, "map"))).note(),
             ContainsSubstring("denormalizer_spec"));
}

TEST_CASE("a model that is cut off or damaged ends in an error or in a working tokenizer") {
  const std::string map = bytes_field(2, support::character_map_of({{"s", "b"}, {"ж", "a"}}).substr(0, 3000));
  const std::string good =
      support::read_file(support::fixture("text/sentencepiece/bpe_bytes/tokenizer.model"));
  std::size_t errors = 0;
  const auto attempt = [&](const std::string& model) {
    try {
      const tokenizer made = read(model);
      (void)made.decode(made.encode("a <sep>ab жж \xff"));
    } catch (const error&) {
      ++errors;
    }
  };
  const std::string small = small_model(1), with_map = small_model(1, map);
  for (std::size_t n = 0; n < small.size(); ++n) attempt(small.substr(0, n));
  for (std::size_t n = 0; n < good.size(); n += 97) attempt(good.substr(0, n));
  support::random_text random(9);
  for (int i = 0; i < 1500; ++i) {
    std::string model = i % 3 == 0 ? with_map : i % 3 == 1 ? small : small_model(2);
    for (std::size_t n = 1 + random.below(3); n-- > 0;)
      model[random.below(model.size())] = static_cast<char>(random.below(256));
    attempt(model);
  }
  CHECK(errors > 300);
}
