// examples/quantize.cpp, as built, and other programs on what it writes.
#include <catch2/catch.hpp>

#include <string>

#include <support/program_run.hpp>

using support::program_run;

TEST_CASE("quantize writes GGUF files and folders that other programs take") {
  if (!support::has_program("quantize") || !support::has_program("inspect")) return;
  const support::temporary_folder folder;
  const std::string model = support::shipped_model().string();
  const std::string gguf = (folder / "small.gguf").string(), back = (folder / "back").string();
  const program_run run = support::run_program("quantize", {model, gguf, "--dtype", "int8"});
  CAPTURE(run.err);
  REQUIRE(run.exit_code == 0);
  CHECK(run.err.empty()); // no bar where nobody looks on
  for (const char* words : {"blk.0.attn_qkv.weight", "[768, 256]", "Q8_0",
                            "52 tensors, 6,974,464 bytes before, 3,938,304 after"}) {
    CAPTURE(words);
    CHECK(run.out.find(words) != std::string::npos);
  }
  const program_run seen = support::run_program("inspect", {"--model", gguf});
  CAPTURE(seen.err);
  CHECK(seen.exit_code == 0);
  CHECK(seen.out.find("3,487,232") != std::string::npos);
  CHECK(support::run_program("quantize", {gguf, back, "--dtype", "f16"}).exit_code == 0);
  CHECK(support::run_program("inspect", {"--model", back}).exit_code == 0);
  const std::string text = "ROMEO:\nWhat <|endoftext|> light?";
  const std::string ids = support::run_program("tokenize", {"--model", model}, text).out;
  for (const auto& each : {gguf, back})
    CHECK(support::run_program("tokenize", {"--model", each}, text).out == ids);
}

TEST_CASE("quantize refuses to write over files, and what a format cannot hold") {
  if (!support::has_program("quantize")) return;
  const support::temporary_folder folder;
  const std::string model = support::shipped_model().string(), gguf = (folder / "m.gguf").string();
  const auto error_of = [](const std::vector<std::string>& arguments) {
    const program_run run = support::run_program("quantize", arguments);
    CHECK(run.exit_code == 1);
    CHECK(run.out.empty());
    return run.first_error_line();
  };
  CHECK(error_of({model, model, "--dtype", "f32"}) ==
        model + "/model.safetensors: is there already: give another name, or remove it first");
  support::write_file(gguf, "mine");
  CHECK(error_of({model, gguf, "--dtype", "f32"}) ==
        gguf + ": is there already: give another name, or remove it first");
  CHECK(support::read_file(gguf) == "mine");
  CHECK(error_of({model, (folder / "out").string(), "--dtype", "int4"}) ==
        (folder / "out").string() + ": a Hugging Face folder holds F32, F16 or BF16, not Q4_0");
  CHECK_FALSE(std::filesystem::exists(folder / "out"));
  const std::string other = error_of({model, (folder / "x.gguf").string(), "--dtype", "int3"});
  CHECK(other.find("--dtype") != std::string::npos);
  CHECK(other.find("int3") != std::string::npos);
  CHECK(
      error_of({"no such folder", (folder / "x.gguf").string(), "--dtype", "int8"}).find("no such folder") !=
      std::string::npos);
}
