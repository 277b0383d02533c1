// examples/logits.cpp, as built.
#include <support/catch.hpp>

#include <support/compare.hpp>
#include <support/npy.hpp>
#include <support/program_run.hpp>

using support::program_run;

namespace {

std::string fixture_ids() {
  std::string text;
  for (const auto id : support::read_npy<std::int64_t>(support::fixture("gpt2/shakespeare/ids.npy")).values)
    text += (text.empty() ? "" : ",") + std::to_string(id);
  return text;
}

} // namespace

TEST_CASE("logits writes PyTorch's logits, hidden states and attentions of the shipped model") {
  if (!support::has_program("logits")) return;
  const support::folder_without_vocabulary folder; // which ids do not need
  const support::temporary_folder out;
  const program_run run = support::run_program(
      "logits", {"--model", folder.path().string(), "--ids", fixture_ids(), "--out",
                 (out / "logits.npy").string(), "--hidden-states", (out / "hidden_states.npy").string(),
                 "--attentions", (out / "attentions.npy").string()});
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  CHECK(run.out.empty());
  for (const std::string name : {"logits", "hidden_states", "attentions"}) {
    const auto found = support::read_npy<float>(out / (name + ".npy"));
    const auto expected = support::read_npy<float>(support::fixture("gpt2/shakespeare/" + name + ".npy"));
    CAPTURE(name);
    CHECK(found.shape == expected.shape);
    CHECK(support::compare(found.values, expected.values) <= 1e-5);
  }
}

TEST_CASE("logits takes a text as its tokens") {
  if (!support::has_program("logits")) return;
  const support::temporary_folder out;
  for (const auto& [option, value] : {std::pair<std::string, std::string>{"--prompt", "ROMEO:\n"},
                                      std::pair<std::string, std::string>{"--ids", "858,25,198"}}) {
    const program_run run = support::run_program(
        "logits", {option, value, "--out", (out / (option + ".npy")).string(), "--threads", "1"});
    INFO(run.err);
    REQUIRE(run.exit_code == 0);
  }
  CHECK(support::read_file(out / "--prompt.npy") == support::read_file(out / "--ids.npy"));
}

TEST_CASE("what is wrong with logits' input stands on the first line, and nothing is written") {
  if (!support::has_program("logits")) return;
  const support::temporary_folder out;
  const std::string file = (out / "x.npy").string();
  struct {
    std::vector<std::string> arguments;
    std::string words;
  } const cases[] = {{{"--out", file}, "nothing to feed"},
                     {{"--ids", "1"}, "nothing to write"},
                     {{"--ids", "1,x", "--out", file}, "\"x\" is not a token id"},
                     {{"--ids", "1024", "--out", file}, "1024"},
                     {{"--ids", "1", "--prompt", "a", "--out", file}, "excludes"},
                     {{"--ids", "1", "--out", (out / "none" / "x.npy").string()}, "x.npy"},
                     {{"--ids", "1", "--out", file, "--model", "no such folder"}, "no such folder"}};
  for (const auto& wrong : cases) {
    const program_run run = support::run_program("logits", wrong.arguments);
    CAPTURE(wrong.arguments, run.err);
    CHECK(run.exit_code == 1);
    CHECK(run.out.empty());
    CHECK(run.first_error_line().find(wrong.words) != std::string::npos);
    CHECK(!std::filesystem::exists(file));
  }
}
