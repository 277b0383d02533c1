// What models from GGUF files compute, against logits that were computed in float64 from the numbers that
// each file holds (scripts/oracle/gguf_fixtures.py), and against the same model from a Hugging Face folder.
#include <support/catch.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include <support/compare.hpp>
#include <support/npy.hpp>
#include <support/paths.hpp>
#include <support/temporary_folder.hpp>

#include <transept/generate/inspection.hpp>
#include <transept/io/convert_files.hpp>
#include <transept/io/load_model.hpp>
#include <transept/kernels/bf16_products.hpp>
#include <transept/models/gpt2.hpp>

using namespace transept;

namespace {

constexpr gpt2_config small{.n_embd = 32, .n_layer = 2, .n_head = 4, .vocab_size = 272, .n_positions = 24};
using model_type = gpt2<small>;

std::filesystem::path fixture(const std::string& name) { return support::fixture("gguf/" + name); }

/// Logits of all positions of the fixture's tokens.
std::vector<float> logits_of(const std::filesystem::path& path, load_options options = {}, int threads = 1) {
  const auto model = load<model_type>(path, options);
  const auto ids = support::read_npy<std::int64_t>(fixture("ids.npy")).values;
  const std::vector<token_id> tokens(ids.begin(), ids.end());
  session session(model, {.threads = threads});
  const auto seen = inspect(model, session, tokens, {.logits = true});
  return {seen.logits.begin(), seen.logits.end()};
}

std::vector<float> expected(const std::string& type) {
  return support::read_npy<float>(fixture("logits." + type + ".npy")).values;
}

} // namespace

TEST_CASE("models from GGUF files compute what the oracle computes from the files' numbers") {
  for (const char* type : {"f32", "f16", "bf16"}) {
    CAPTURE(type);
    const bool rounds = type == std::string("bf16") && kernels::runs_in_tiles(element_type::bf16, 24);
    CHECK(support::compare(logits_of(fixture(type + std::string(".gguf"))), expected(type)) <=
          (rounds ? 0.01 : 2e-6)); // tiles of bf16 round activations
  }
  // Blocks are multiplied with activations that are rounded to int8; as f32 the same numbers are exact.
  for (const char* type : {"q8_0", "q4_0"}) {
    CAPTURE(type);
    const auto path = fixture(type + std::string(".gguf"));
    CHECK(support::compare(logits_of(path, {.type = element_type::f32}), expected(type)) <= 2e-6);
    CHECK(support::compare(logits_of(path), expected(type)) <= 0.03);
  }
}

TEST_CASE("a GGUF file and the folder it was made from compute the same") {
  CHECK(support::compare(logits_of(fixture("f32.gguf")), logits_of(fixture("folder"))) <= 2e-6);
  const support::temporary_folder out;
  // A folder again: the same bits as the first.
  convert_to_folder<gpt2_family>(model_files::open(fixture("f32.gguf")), out.path(),
                                 {.type = element_type::f32});
  CHECK(logits_of(out.path()) == logits_of(fixture("folder")));
  // Quantized on the way to a file or on the way to memory: the same blocks, so the same bits.
  for (const auto type : {element_type::q8_0, element_type::q4_0}) {
    convert_to_gguf<gpt2_family>(model_files::open(fixture("folder")), out / "m.gguf", {.type = type});
    CHECK(logits_of(out / "m.gguf") == logits_of(fixture("folder"), {.type = type}));
    std::filesystem::remove(out / "m.gguf");
  }
}

TEST_CASE("models from GGUF files compute the same bits with any number of threads") {
  for (const char* name : {"f32.gguf", "f16.gguf", "bf16.gguf", "q8_0.gguf", "q4_0.gguf"}) {
    CAPTURE(name);
    CHECK(logits_of(fixture(name), {.threads = 1}, 1) == logits_of(fixture(name), {.threads = 3}, 3));
  }
}

TEST_CASE("a quantized GGUF file is converted on loading like any other") {
  const auto model = load<model_type>(fixture("q8_0.gguf"), {.type = element_type::bf16});
  CHECK(model.blocks[0].attention.query_key_value.weight.type() == element_type::bf16);
  CHECK(model.blocks[0].attention.query_key_value.weight.layout() == matrix_layout::row_major);
  CHECK(model.tokens.weight.type() == element_type::bf16);
  const auto kept = load<model_type>(fixture("q8_0.gguf"), {.type = element_type::q8_0});
  CHECK(kept.blocks[0].attention.query_key_value.weight.layout() == matrix_layout::panels);
  CHECK(kept.positions.weight.type() == element_type::f32);
  CHECK(logits_of(fixture("q8_0.gguf"), {.type = element_type::q8_0}) == logits_of(fixture("q8_0.gguf")));
}
