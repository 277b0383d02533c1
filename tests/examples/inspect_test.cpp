// examples/inspect.cpp, as built.
#include <support/catch.hpp>

#include <support/gguf_bytes.hpp>
#include <support/program_run.hpp>

#include <transept/core/json.hpp>

using support::program_run;
using transept::json;

namespace {

json inspect(const std::filesystem::path& folder) {
  const program_run run = support::run_program("inspect", {"--model", folder.string(), "--json"});
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  return transept::parse_json(run.out, "inspect");
}

} // namespace

TEST_CASE("inspect prints the parameters of the shipped model and their number") {
  if (!support::has_program("inspect")) return;
  const program_run run = support::run_program("inspect", {});
  INFO(run.err);
  CHECK(run.exit_code == 0);
  CHECK(run.err.empty());
  for (const char* words : {"wte.weight", "[1024, 256]", "h.*.attn.c_attn.weight", "256 x 768", "196,608",
                            "x 4 blocks", "3,159,040", "3,487,232", "4 heads of 64"}) {
    CAPTURE(words);
    CHECK(run.out.find(words) != std::string::npos);
  }
  CHECK(run.out.find("ignored") == std::string::npos);
}

TEST_CASE("inspect --json lists each parameter and the tensor it is read from") {
  if (!support::has_program("inspect")) return;
  const json found = inspect(support::shipped_model());
  CHECK(found["family"] == "GPT-2");
  CHECK(found["total_parameters"] == 3487232);
  CHECK(found["parameters"].size() == 52);
  CHECK(found["tensors"].size() == 52);
  std::uint64_t count = 0;
  for (const json& parameter : found["parameters"]) {
    count += parameter["count"].get<std::uint64_t>();
    CHECK(parameter["tensor"] == parameter["name"]);
    CHECK(parameter["dtype"] == "F16");
  }
  CHECK(count == 3487232);
}

TEST_CASE("inspect shows what a model ignores, and the declaration of its shape") {
  if (!support::has_program("inspect")) return;
  const json found = inspect(support::fixture("gpt2/prefix_and_masks"));
  CHECK(found["family"] == "GPT-2");
  CHECK(
      found["declaration"] ==
      "inline constexpr transept::gpt2_config my_model{.n_embd = 24, .n_layer = 2, .n_head = 3, .vocab_size "
      "= 101, .n_positions = 40, .tie_word_embeddings = false};");
  CHECK(found["ignored_bytes"] == 3208);
  for (const json& tensor : found["tensors"]) {
    const auto name = tensor["name"].get<std::string>();
    CAPTURE(name);
    CHECK(tensor["ignored"] == (name.ends_with(".attn.bias") || name.ends_with(".attn.masked_bias")));
  }
  CHECK(found["parameters"].back()["name"] == "lm_head.weight");
  CHECK(found["parameters"][0]["tensor"] == "transformer.wte.weight");

  CHECK(inspect(support::fixture("gpt2/head_width"))["parameters"].size() == 28);
  CHECK(inspect(support::fixture("gpt2/sharded"))["tensors"].size() == 28);
  const json with_head = inspect(support::fixture("gpt2/tied_with_head"));
  for (const json& tensor : with_head["tensors"])
    CHECK(tensor["ignored"] == (tensor["name"] == "lm_head.weight"));
}

TEST_CASE("inspect prints the tables of a folder whose tensors are wrong, then what is wrong") {
  if (!support::has_program("inspect")) return;
  const support::temporary_folder folder;
  const auto source = support::fixture("gpt2/tied_f32");
  std::filesystem::copy(source / "model.safetensors", folder / "model.safetensors");
  json config = transept::parse_json(support::read_file(source / "config.json"), "config");
  config["n_layer"] = 4;
  config["n_inner"] = 50;
  support::write_file(folder / "config.json", config.dump());
  const program_run run = support::run_program("inspect", {"--model", folder.path().string()});
  CAPTURE(run.err);
  CHECK(run.exit_code == 1);
  CHECK(run.out.find("x 4 blocks") != std::string::npos);
  CHECK(run.first_error_line().find("h.0.mlp.c_fc.weight: expected shape [40, 50], found [40, 160]") !=
        std::string::npos);
  CHECK(run.err.find("h.3.ln_1.weight: expected [40], found no tensor of that name") != std::string::npos);
}

TEST_CASE("inspect tells what is wrong with a GGUF file in the file's own words") {
  if (!support::has_program("inspect")) return;
  const support::temporary_folder folder;
  std::string bytes = support::read_file(support::fixture("gguf/f32.gguf"));
  // The entry of the tensor table: its name, two dimensions, innermost first.
  const std::string name = "blk.1.ffn_up.weight";
  const auto dimensions = [](std::uint64_t inner, std::uint64_t outer) {
    return support::number_bytes(std::uint32_t{2}) + support::number_bytes(inner) +
           support::number_bytes(outer);
  };
  const std::size_t place = bytes.find(name + dimensions(32, 128));
  REQUIRE(place != bytes.npos);
  bytes.replace(place + name.size(), dimensions(32, 128).size(), dimensions(128, 32));
  support::write_file(folder / "m.gguf", bytes);
  const program_run run = support::run_program("inspect", {"--model", (folder / "m.gguf").string()});
  CHECK(run.exit_code == 1);
  CHECK(run.err == (folder / "m.gguf").string() +
                       ": blk.1.ffn_up.weight: expected shape [128, 32], found [32, 128]\n"
                       "    It looks transposed: GGUF keeps linear weights as [out, in].\n");
}

TEST_CASE("inspect names the kinds of models that there are where a folder holds another") {
  if (!support::has_program("inspect")) return;
  const support::temporary_folder folder;
  const auto source = support::fixture("gpt2/tied_f32");
  std::filesystem::copy(source / "model.safetensors", folder / "model.safetensors");
  support::write_file(folder / "config.json", R"({"model_type": "resnet"})");
  const program_run run = support::run_program("inspect", {"--model", folder.path().string()});
  CHECK(run.exit_code == 1);
  CHECK(run.out.empty());
  CHECK_THAT(
      run.first_error_line(),
      Catch::StartsWith((folder / "config.json").string() + ": model_type: expected one of \"gpt2\"") &&
          Catch::ContainsSubstring("\"llama\"") && Catch::ContainsSubstring("\"roberta\"") &&
          Catch::EndsWith(", found \"resnet\""));
}

TEST_CASE("inspect says on the first line why there is nothing to print") {
  if (!support::has_program("inspect")) return;
  const program_run run = support::run_program("inspect", {"--model", "no such folder"});
  CHECK(run.exit_code == 1);
  CHECK(run.out.empty());
  CHECK(run.first_error_line().find("no such folder") != std::string::npos);
}
