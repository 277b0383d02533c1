// examples/quantize.cpp, as built, and other programs on what it writes.
#include <support/catch.hpp>

#include <chrono>
#include <csignal>
#include <iterator>
#include <string>
#include <thread>

#include <support/program_run.hpp>
#include <support/safetensors_bytes.hpp>

#include <transept/core/json.hpp>
#include <transept/io/file_tensors.hpp>
#include <transept/io/model_config.hpp>
#include <transept/io/write_config.hpp>
#include <transept/models/gpt2.hpp>

using support::program_run;

namespace {

/// The folder of a model of zeros that takes no room on the disk, but seconds to convert.
std::filesystem::path make_large_model(const std::filesystem::path& folder) {
  const transept::model_config<transept::gpt2_family> config{
      .shape = {.n_embd = 1024, .n_layer = 12, .n_head = 16}};
  transept::json header = transept::json::object();
  std::uint64_t end = 0;
  for (const auto& parameter : transept::all_tensors_of(
           transept::gpt2<transept::any_gpt2>::shaped(config.shape), transept::file_naming::huggingface)) {
    const std::uint64_t begin = end;
    end += parameter.count() * 4;
    header[parameter.name] = {{"dtype", "F32"}, {"shape", parameter.shape}, {"data_offsets", {begin, end}}};
  }
  std::filesystem::create_directory(folder);
  transept::write_config(folder / "config.json", config);
  const auto path = folder / "model.safetensors";
  support::write_file(path, support::safetensors_bytes(header.dump(), ""));
  std::filesystem::resize_file(path, std::filesystem::file_size(path) + end);
  return folder;
}

} // namespace

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

TEST_CASE("quantize says which matrices stay F16, since their rows are no whole number of blocks") {
  if (!support::has_program("quantize") || !support::has_program("generate")) return;
  const support::temporary_folder folder;
  const std::string model = support::fixture("gpt2/tied_f32").string(), gguf = (folder / "m.gguf").string();
  const program_run run = support::run_program("quantize", {model, gguf, "--dtype", "int8"});
  CAPTURE(run.err);
  REQUIRE(run.exit_code == 0);
  CHECK_THAT(run.err, Catch::StartsWith(
                          "note: token_embd.weight stays F16: its rows of 40 numbers are no whole number of "
                          "blocks of 32\n") &&
                          Catch::ContainsSubstring("note: blk.2.ffn_up.weight stays F16") &&
                          !Catch::ContainsSubstring("position_embd") &&
                          !Catch::ContainsSubstring("ffn_down"));
  CHECK_THAT(run.out, Catch::ContainsSubstring("F16") && Catch::ContainsSubstring("Q8_0"));
  const program_run text = support::run_program(
      "generate", {"--model", gguf, "--ids", "1,2,3", "--greedy", "--max-new-tokens", "2"});
  CAPTURE(text.err);
  CHECK(text.exit_code == 0);
  CHECK(
      support::run_program("quantize", {model, (folder / "f.gguf").string(), "--dtype", "f16"}).err.empty());
}

TEST_CASE("quantize makes a GGUF file of a name that ends so in any case") {
  if (!support::has_program("quantize")) return;
  const support::temporary_folder folder;
  const std::string gguf = (folder / "small.GGUF").string();
  CHECK(support::run_program("quantize", {support::shipped_model().string(), gguf, "--dtype", "int8"})
            .exit_code == 0);
  CHECK(support::read_file(gguf).starts_with("GGUF"));
}

TEST_CASE("quantize leaves nothing where a signal ends it") {
  if (!support::has_program("quantize")) return;
  const support::temporary_folder folder;
  const auto model = make_large_model(folder / "large");
  const auto contents = [&] { return std::distance(std::filesystem::directory_iterator(folder.path()), {}); };
  for (const bool to_gguf : {true, false}) {
    for (const int signal : {SIGINT, SIGTERM}) {
      const auto output = folder / (to_gguf ? "out.gguf" : "out");
      support::started_program program(
          "quantize", {model.string(), output.string(), "--dtype", to_gguf ? "int8" : "f16"});
      for (int i = 0; contents() == 1 && i < 60'000; ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      program.send(signal);
      const program_run run = program.wait();
      CHECK(run.exit_code == 128 + signal);
      CHECK(run.out.empty());
      CHECK(run.err == "interrupted\n");
      CHECK(contents() == 1);
    }
  }
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
        model + "/model.safetensors: is there already: give another folder, or remove it first");
  support::write_file(gguf, "mine");
  CHECK(error_of({model, gguf, "--dtype", "f32"}) ==
        gguf + ": is there already: give another name, or remove it first");
  CHECK(support::read_file(gguf) == "mine");
  CHECK(error_of({model, (folder / "out").string(), "--dtype", "int4"}) ==
        (folder / "out").string() + ": a Hugging Face folder holds F32, F16 or BF16, not Q4_0");
  CHECK_FALSE(std::filesystem::exists(folder / "out"));
  for (const char* name : {"config.json", "model.safetensors.index.json", "vocab.json", "merges.txt",
                           "tokenizer.json", "added_tokens.json"}) {
    const support::temporary_folder other;
    support::write_file(other / name, "mine");
    CHECK(error_of({model, other.path().string(), "--dtype", "f16"}) ==
          (other / name).string() + ": is there already: give another folder, or remove it first");
    CHECK(support::read_file(other / name) == "mine");
    CHECK(std::distance(std::filesystem::directory_iterator(other.path()), {}) == 1);
  }
  const std::string other = error_of({model, (folder / "x.gguf").string(), "--dtype", "int3"});
  CHECK(other.find("--dtype") != std::string::npos);
  CHECK(other.find("int3") != std::string::npos);
  CHECK(
      error_of({"no such folder", (folder / "x.gguf").string(), "--dtype", "int8"}).find("no such folder") !=
      std::string::npos);
}
