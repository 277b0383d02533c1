// examples/own_model.cpp, as built.
#include <support/catch.hpp>

#include <support/program_run.hpp>

using support::program_run;

TEST_CASE("own_model runs: the same text for the same seed and any number of threads, another for another") {
  if (!support::has_program("own_model")) return;
  const auto text = [](std::vector<std::string> arguments) {
    const program_run run = support::run_program("own_model", arguments);
    INFO(run.err);
    REQUIRE(run.exit_code == 0);
    CHECK(run.err.empty());
    return run.out;
  };
  const std::string first = text({"--seed", "7", "--threads", "1"});
  CHECK(first.find("blocks.2.attention.query_key_value.weight") != std::string::npos);
  CHECK(first.find("448440 parameters\n\nROMEO:") != std::string::npos);
  CHECK(text({"--seed", "7", "--threads", "2"}) == first);
  CHECK(text({"--seed", "8"}) != first);
}

TEST_CASE("own_model says on the first line what is wrong") {
  if (!support::has_program("own_model")) return;
  const program_run run = support::run_program("own_model", {"--model", "no such folder"});
  CHECK(run.exit_code == 1);
  CHECK(run.out.empty());
  CHECK(run.first_error_line().find("no such folder") != std::string::npos);
}
