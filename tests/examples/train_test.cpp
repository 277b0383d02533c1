// examples/train.cpp, as built. (That a killed run ends as an undisturbed one: scripts/check_kills.sh.)
#include <support/catch.hpp>

#include <span>
#include <string>
#include <vector>

#include <support/train_program.hpp>

#include <transept/core/json.hpp>
#include <transept/io/safetensors.hpp>
#include <transept/io/safetensors_writer.hpp>

using Catch::ContainsSubstring;
using support::program_run, support::arguments, support::check_error, support::column;
using workplace = support::train_workplace;

namespace {

/// A tensor's elements as f32.
std::vector<float> numbers_of(const transept::safetensors_file& file, const std::string& name) {
  const transept::stored_tensor* const tensor = file.find(name);
  REQUIRE(tensor != nullptr);
  const auto type = *transept::element_type_of(tensor->dtype);
  std::vector<float> numbers(tensor->bytes.size() / transept::size_of(type));
  transept::convert_elements(tensor->bytes, type, std::as_writable_bytes(std::span(numbers)),
                             transept::element_type::f32);
  return numbers;
}

} // namespace

TEST_CASE("train learns a text, and leaves a model, checkpoints, a table and a picture") {
  if (!support::has_program("train") || !support::has_program("generate")) return;
  const workplace place;
  const program_run run = place.train("new");
  CAPTURE(run.err);
  REQUIRE(run.exit_code == 0);
  CHECK(run.err.empty()); // no line that changes where nobody looks on
  CHECK_THAT(run.out, ContainsSubstring("4 layers, width 128, 4 heads") &&
                          ContainsSubstring("24 iterations of 64 tokens") &&
                          ContainsSubstring("nats per token") && ContainsSubstring("generate --model"));
  const std::string csv = place.read("new/log.csv");
  CHECK_THAT(csv, Catch::StartsWith("iteration,train_loss,val_loss,ms_per_iteration,tokens_per_second\n0,,"));
  CHECK(column(csv, 0) == std::vector<double>{0, 10, 12, 20, 24});
  const auto validation = column(csv, 2);
  CHECK(validation.back() < validation.front() - 0.5);
  CHECK_THAT(place.read("new/loss.svg"), ContainsSubstring("<svg") && ContainsSubstring("validation"));
  CHECK(std::filesystem::exists(place / "new" / "checkpoint-16"));
  CHECK(std::filesystem::exists(place / "new" / "checkpoint-24"));
  CHECK_FALSE(std::filesystem::exists(place / "new" / "checkpoint-8")); // two are kept
  for (const char* folder : {"new", "new/checkpoint-24"}) {
    const program_run text = support::run_program(
        "generate", {"--model", (place / folder).string(), "--prompt", "7 and ", "--max-new-tokens", "4"});
    CAPTURE(text.err);
    CHECK(text.exit_code == 0);
    CHECK_THAT(text.out, Catch::StartsWith("7 and "));
  }
}

TEST_CASE("train --resume goes on as if it had never stopped, also to further iterations") {
  if (!support::has_program("train")) return;
  const workplace place;
  const arguments dropping{"--dropout",  "0.1",      "--vocabulary", "300",
                           "--schedule", "constant", "--threads",    "1"};
  const auto with = [&](arguments more) {
    more.insert(more.begin(), dropping.begin(), dropping.end());
    return more;
  };
  REQUIRE(place.train("whole", dropping).exit_code == 0);
  REQUIRE(place.train("parts", with({"--iterations", "13"})).exit_code == 0);
  CHECK_FALSE(place.read("parts/checkpoint-13/model.safetensors") ==
              place.read("whole/checkpoint-24/model.safetensors"));
  const program_run rest = support::run_program(
      "train", {"--resume", "--out", (place / "parts").string(), "--iterations", "24", "--threads", "2"});
  CAPTURE(rest.err);
  REQUIRE(rest.exit_code == 0);
  CHECK_THAT(rest.out, ContainsSubstring("going on after 13"));
  for (const char* file : {"model.safetensors", "optimizer.safetensors", "config.json"})
    CHECK(place.read(std::string("parts/checkpoint-24/") + file) ==
          place.read(std::string("whole/checkpoint-24/") + file));
  CHECK(place.read("parts/model.safetensors") == place.read("whole/model.safetensors"));

  check_error(place.train("whole", with({"--resume", "--seed", "4"})),
              "--seed cannot change in a run that has begun: it is 1337");
  check_error(place.train("whole", dropping),
              (place / "whole").string() +
                  ": holds a run already: --resume goes on with it, another --out begins a new one");
}

TEST_CASE("train --from goes on with a model of a folder, and learns a new text") {
  if (!support::has_program("train") || !support::has_program("score")) return;
  const workplace place;
  const std::string shipped = support::shipped_model().string(), tuned = (place / "tuned").string();
  const program_run run =
      place.train("tuned", {"--from", shipped, "--learning-rate", "1e-3", "--threads", "2"});
  CAPTURE(run.err);
  REQUIRE(run.exit_code == 0);
  CHECK_THAT(run.out, ContainsSubstring("gpt2: 4 layers, width 256"));
  const auto score = [&](const std::string& model) {
    const program_run scored =
        support::run_program("score", {"--model", model, "--json", (place / "text").string()});
    CAPTURE(scored.err);
    REQUIRE(scored.exit_code == 0);
    return transept::parse_json(scored.out, "score", 3).at("nats_per_token").get<double>();
  };
  CHECK(score(tuned) < score(shipped) - 1);
  CHECK(support::read_file(place / "tuned/vocab.json") ==
        support::read_file(support::shipped_model() / "vocab.json"));
}

TEST_CASE("train --from takes a vocabulary for a model that has none") {
  if (!support::has_program("train") || !support::has_program("generate")) return;
  const workplace place;
  const std::string model = support::fixture("models/qwen3/model").string();
  const program_run run = place.train("tuned", {"--from", model, "--vocabulary", "characters"});
  CAPTURE(run.err);
  REQUIRE(run.exit_code == 0);
  const program_run generated = support::run_program(
      "generate", {"--model", (place / "tuned").string(), "--prompt", "7 and ", "--greedy", "--json"});
  CAPTURE(generated.err);
  CHECK(generated.exit_code == 0);
  check_error(place.train("more", {"--from", model, "--vocabulary", "270"}),
              "--vocabulary 270: 270 tokens; the model of " + model + " has 101");
}

TEST_CASE("train --train-blocks leaves the other blocks and the embeddings as they are") {
  if (!support::has_program("train")) return;
  const workplace place;
  const program_run run = place.train(
      "tuned", {"--from", support::shipped_model().string(), "--train-blocks", "1", "--recompute"});
  CAPTURE(run.err);
  REQUIRE(run.exit_code == 0);
  const auto before = transept::safetensors_file::open(support::shipped_model() / "model.safetensors");
  const auto after = transept::safetensors_file::open(place / "tuned/checkpoint-24/model.safetensors");
  for (const char* name : {"wte.weight", "wpe.weight", "h.0.ln_1.weight", "h.2.mlp.c_proj.weight"})
    CHECK(numbers_of(after, name) == numbers_of(before, name));
  for (const char* name : {"h.3.ln_1.bias", "h.3.mlp.c_proj.weight", "ln_f.weight"})
    CHECK(numbers_of(after, name) != numbers_of(before, name));
  check_error(place.train("more", {"--from", support::shipped_model().string(), "--train-blocks", "5"}),
              "--train-blocks 5: the model has 4");
}
