// examples/score.cpp, as built.
#include <catch2/catch.hpp>

#include <cmath>
#include <numbers>
#include <sstream>

#include <support/program_run.hpp>

#include <transept/core/json.hpp>

using support::program_run;
using transept::json;

namespace {

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
  struct {
    const char *context, *stride;
    int tokens_scored;
    double nats_per_token;
  } const cases[] = {
      // GPT2("models/shakespeare").score of scripts/oracle/gpt2.py, in float64, with config.n_positions =
      // context
      {"256", "256", 212, 4.452954245795423},
      {"32", "32", 206, 4.442223074939743},
      {"32", "20", 212, 4.4306206512191855},
  };
  for (const auto& each : cases) {
    INFO("context " << each.context << ", stride " << each.stride);
    const json object = score({text, "--context", each.context, "--stride", each.stride});
    CHECK(object["tokens"] == 213);
    CHECK(object["tokens_scored"] == each.tokens_scored);
    const double nats = object["nats_per_token"];
    CHECK(nats == Approx(each.nats_per_token).margin(2e-6));
    CHECK(object["perplexity"].get<double>() == Approx(std::exp(nats)));
    CHECK(object["bits_per_byte"].get<double>() == Approx(nats * 213 / std::numbers::ln2 / 474));
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
  CHECK(by_file["nats_per_token"].get<double>() == Approx(4.452954245795423).margin(2e-6));
  CHECK(by_file["bits_per_byte"].is_null()); // of how many bytes nobody knows
  CHECK(score({"--ids", tokens.out})["bits_per_byte"].is_number());
}

TEST_CASE("score prints the same for people") {
  if (!support::has_program("score")) return;
  const program_run run = support::run_program("score", {support::fixture("examples/sea.txt").string()});
  CHECK(run.exit_code == 0);
  CHECK(run.out == "tokens          213\n"
                   "tokens scored   212\n"
                   "nats per token  4.452954\n"
                   "perplexity      85.880\n"
                   "bits per byte   2.887\n");
  CHECK(run.err.empty()); // progress is for terminals
}

TEST_CASE("the shipped model scores the validation text as its README says") {
  const auto shared = support::shared_dir();
  if (!shared || !support::has_program("score") || support::is_too_slow()) return;
  const std::string text = support::read_file(*shared / "data" / "tinyshakespeare.txt");
  const support::temporary_folder folder;
  const std::string file = (folder / "validation.txt").string();
  support::write_file(file, std::string_view(text).substr(text.size() * 9 / 10));
  const json whole = score({file, "--stride", "256"});
  CHECK(whole["tokens"] == 47843);
  CHECK(whole["nats_per_token"].get<double>() == Approx(3.617986).margin(1e-6));
  CHECK(whole["perplexity"].get<double>() == Approx(37.262).margin(1e-3));
  CHECK(whole["bits_per_byte"].get<double>() == Approx(2.239).margin(5e-4));
}

TEST_CASE("the shipped model scores it better with more context for each token") {
  const auto shared = support::shared_dir();
  if (!shared || !support::has_program("score") || support::is_too_slow()) return;
  const std::string text = support::read_file(*shared / "data" / "tinyshakespeare.txt");
  const support::temporary_folder folder;
  const std::string file = (folder / "validation.txt").string();
  support::write_file(file, std::string_view(text).substr(text.size() * 9 / 10));
  const json fine = score({file, "--stride", "64"});
  CHECK(fine["tokens_scored"] == 47842);
  CHECK(fine["nats_per_token"].get<double>() == Approx(3.588502).margin(1e-6));
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
      CHECK(nats == Approx(4.452954245795423).epsilon(1e-5));
    }
    CHECK(std::abs(change) < (weights == "int4" ? 5 : weights == "int8" ? 0.5 : 0.1));
  }
  CHECK(seen == std::vector<std::string>{"f32/f32", "f16/f32", "bf16/f32", "int8/f32", "int4/f32", "f32/bf16",
                                         "f32/int8"});
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
    CHECK_THAT(run.first_error_line(), Catch::Contains(words));
  }
}
