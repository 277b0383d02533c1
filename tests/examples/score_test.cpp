// examples/score.cpp, as built.
#include <support/catch.hpp>

#include <cmath>
#include <cstdio>
#include <numbers>
#include <sstream>

#include <support/program_run.hpp>
#include <support/shipped_model.hpp>

#include <transept/core/json.hpp>

using support::program_run;
using transept::json;

namespace {

const support::shipped_model_facts& shipped = support::shipped_facts();

json score(std::vector<std::string> arguments) {
  arguments.push_back("--json");
  const program_run run = support::run_program("score", arguments);
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  return transept::parse_json(run.out, "score --json");
}

} // namespace

TEST_CASE("score gives what PyTorch gives, for windows and strides of any size") {
  if (!support::has_program("score")) return;
  const std::string text = support::fixture("examples/sea.txt").string();
  const int tokens = shipped.scored_tokens;
  const auto bytes = static_cast<double>(support::read_file(text).size());
  for (const auto& each : shipped.scores) {
    INFO("context " << each.context << ", stride " << each.stride);
    const json object =
        score({text, "--context", std::to_string(each.context), "--stride", std::to_string(each.stride)});
    CHECK(object["tokens"] == tokens);
    CHECK(object["tokens_scored"] == each.tokens_scored);
    const double nats = object["nats_per_token"];
    CHECK(nats == Approx(each.nats_per_token).margin(2e-6));
    CHECK(object["perplexity"].get<double>() == Approx(std::exp(nats)));
    CHECK(object["bits_per_byte"].get<double>() == Approx(nats * tokens / std::numbers::ln2 / bytes));
  }
}

TEST_CASE("score reads ids too, and then needs no vocabulary") {
  if (!support::has_program("score")) return;
  const support::folder_without_vocabulary folder;
  const program_run tokens =
      support::run_program("tokenize", {}, support::read_file(support::fixture("examples/sea.txt")));
  REQUIRE(tokens.exit_code == 0);
  support::write_file(folder / "ids", tokens.out);
  const json by_file = score({"--model", folder.path().string(), "--ids", "@" + (folder / "ids").string()});
  CHECK(by_file["nats_per_token"].get<double>() == Approx(shipped.scores[0].nats_per_token).margin(2e-6));
  CHECK(by_file["bits_per_byte"].is_null()); // of how many bytes nobody knows
  CHECK(score({"--ids", tokens.out})["bits_per_byte"].is_number());
}

TEST_CASE("score prints the same for people") {
  if (!support::has_program("score")) return;
  const std::string text = support::fixture("examples/sea.txt").string();
  const program_run run = support::run_program("score", {text});
  CHECK(run.exit_code == 0);
  const double nats = shipped.scores[0].nats_per_token;
  char expected[200];
  std::snprintf(expected, sizeof expected,
                "tokens          %d\n"
                "tokens scored   %d\n"
                "nats per token  %.6f\n"
                "perplexity      %.3f\n"
                "bits per byte   %.3f\n",
                shipped.scored_tokens, shipped.scores[0].tokens_scored, nats, std::exp(nats),
                nats * shipped.scored_tokens / std::numbers::ln2 /
                    static_cast<double>(support::read_file(text).size()));
  CHECK(run.out == expected);
  CHECK(run.err.empty()); // progress is for terminals
}

TEST_CASE("the shipped model scores the validation text as its README says") {
  const auto shared = support::shared_dir();
  if (!shared || !support::has_program("score") || support::is_too_slow()) return;
  const std::string text = support::read_file(*shared / "data" / "tinyshakespeare.txt");
  const support::temporary_folder folder;
  const std::string file = (folder / "validation.txt").string();
  support::write_file(file, std::string_view(text).substr(text.size() * 9 / 10));
  std::istringstream readme(support::read_file(support::shipped_model() / "README.md"));
  int rows = 0;
  for (std::string line; std::getline(readme, line);) {
    int stride = 0;
    double nats = 0, perplexity = 0, per_character = 0, bits = 0;
    if (std::sscanf(line.c_str(), "| %d | %lf | %lf | %lf | %lf |", &stride, &nats, &perplexity,
                    &per_character, &bits) != 5)
      continue;
    INFO(line);
    const json whole = score({file, "--stride", std::to_string(stride)});
    CHECK(whole["tokens"] == 47843);
    CHECK(whole["tokens_scored"] == (stride == 256 ? 47843 - 187 : 47842)); // not the first of 187 windows
    CHECK(whole["nats_per_token"].get<double>() == Approx(nats).margin(1e-6));
    CHECK(whole["perplexity"].get<double>() == Approx(perplexity).margin(1e-3));
    CHECK(whole["bits_per_byte"].get<double>() == Approx(bits).margin(5e-4));
    ++rows;
  }
  CHECK(rows == 2);
}

TEST_CASE("score --compare tells what every precision costs") {
  if (!support::has_program("score")) return;
  const program_run run =
      support::run_program("score", {support::fixture("examples/sea.txt").string(), "--compare"});
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  std::istringstream lines(run.out);
  std::string line, weights, cache;
  std::getline(lines, line); // what the columns are
  double nats = 0, perplexity = 0, change = 0;
  char percent = 0;
  std::vector<std::string> seen;
  while (lines >> weights >> cache >> nats >> perplexity >> change >> percent) {
    seen.push_back(weights + "/" + cache);
    CHECK(perplexity == Approx(std::exp(nats)).epsilon(1e-4));
    if (seen.size() == 1) {
      CHECK(change == 0);
      CHECK(nats == Approx(shipped.scores[0].nats_per_token).epsilon(1e-5));
    }
    CHECK(std::abs(change) < (weights == "int4" ? 5 : weights == "int8" ? 0.5 : 0.1));
  }
  CHECK(seen == std::vector<std::string>{"f32/f32", "f16/f32", "bf16/f32", "int8/f32", "int4/f32", "f32/bf16",
                                         "f32/int8"});
  CHECK(run.err.empty());
}

TEST_CASE("score --compare says that f32 is no more exact than a file of blocks") {
  if (!support::has_program("score") || !support::has_program("quantize")) return;
  const support::temporary_folder folder;
  const std::string gguf = (folder / "m.gguf").string();
  REQUIRE(support::run_program("quantize", {support::shipped_model().string(), gguf, "--dtype", "int4"})
              .exit_code == 0);
  const program_run run = support::run_program("score", {"--model", gguf, "--ids", "1,2,3", "--compare"});
  CHECK(run.exit_code == 0);
  CHECK(run.first_error_line() ==
        "note: " + gguf +
            " holds Q4_0: f32 means its numbers, widened, not those that they were rounded from");
}

TEST_CASE("what is wrong with score's arguments stands on the first line, and its exit code is 1") {
  if (!support::has_program("score")) return;
  const std::string text = support::fixture("examples/sea.txt").string();
  const support::temporary_folder folder;
  support::write_file(folder / "empty", "");
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
      {{}, "nothing to score: give a file"},
      {{"/nowhere"}, "/nowhere: cannot be opened"},
      {{folder.path().string()}, "is a folder"},
      {{(folder / "empty").string()}, "the first token has nothing before it, and there is none"},
      {{"--ids", "5"}, "there is no second"},
      {{"--ids", "1,2,1024"}, "token id 1024, but the ids of this model are from 0 to 1023"}, // never fed
      {{text, "--stride", "257"}, "--stride must be at most the context, 256"},
      {{text, "--stride", "-1"}, "--stride: expected a whole number"},
      {{text, "--context", "1"}, "--context must be from 2"},
      {{text, "--context", "257"}, "--context must be from 2"},
      {{text, "--ids", "1"}, "excludes"},
  };
  for (const auto& [arguments, words] : cases) {
    const program_run run = support::run_program("score", arguments);
    INFO(words);
    CHECK(run.exit_code == 1);
    CHECK(run.out.empty());
    CHECK_THAT(run.first_error_line(), Catch::ContainsSubstring(words));
  }
}
