// examples/train_tokenizer.cpp, as built, and tokenize on what it writes.
#include <support/catch.hpp>

#include <string>
#include <vector>

#include <support/program_run.hpp>

#include <transept/core/json.hpp>
#include <transept/io/load_tokenizer.hpp>
#include <transept/train/token_file.hpp>

using Catch::ContainsSubstring;
using support::program_run;

namespace {

const std::string text_file = support::fixture("text/bpe/text.txt").string();

std::string run_good(const std::string& program, const std::vector<std::string>& arguments,
                     std::string_view input = {}) {
  const program_run run = support::run_program(program, arguments, input);
  CAPTURE(run.err);
  REQUIRE(run.exit_code == 0);
  CHECK(run.err.empty()); // no bar where nobody looks on
  return run.out;
}

std::vector<transept::token_id> ids_in(const std::filesystem::path& path) {
  const transept::token_file file(path);
  std::vector<transept::token_id> ids(file.size());
  file.read(0, ids);
  return ids;
}

} // namespace

TEST_CASE("train_tokenizer writes a vocabulary that tokenize and the library load") {
  if (!support::has_program("train_tokenizer") || !support::has_program("tokenize")) return;
  const support::temporary_folder folder;
  const std::string out = (folder / "new").string(), tokens = (folder / "text.tokens").string();
  const std::string summary =
      run_good("train_tokenizer", {text_file, "--out", out, "--vocab-size", "600", "--threads", "2"});
  CHECK_THAT(summary, ContainsSubstring(out + ": 600 tokens, 343 merges") && ContainsSubstring("bytes each"));
  const std::string text = support::read_file(text_file);
  const auto tokenizer = transept::load_tokenizer(out);
  CHECK(tokenizer.end_of_text() == 0);
  const auto expected = tokenizer.encode(text);
  CHECK_THAT(run_good("tokenize", {"--model", out, text_file, text_file, "--out", tokens}),
             ContainsSubstring("tokens of a vocabulary of 600"));
  auto twice = expected;
  twice.insert(twice.end(), expected.begin(), expected.end());
  CHECK(ids_in(tokens) == twice);
  const std::string printed = run_good("tokenize", {"--model", out, text_file});
  CHECK(run_good("tokenize", {"--model", out, "--decode"}, printed) == text);
}

TEST_CASE("train_tokenizer --json tells how many tokens the texts have") {
  if (!support::has_program("train_tokenizer")) return;
  const support::temporary_folder folder;
  const std::string out = (folder / "new").string();
  const auto object = transept::parse_json(
      run_good("train_tokenizer", {"--out", out, "--json", "--special", "<a>", "--special", "<b>"},
               "at at at x"),
      "summary");
  CHECK(object["vocab_size"] == 260);
  CHECK(object["merges"] == 2);
  CHECK(object["bytes"] == 10);
  CHECK(object["words"] == 4);
  CHECK(object["different_words"] == 3);
  CHECK(object["tokens"] == 5);
  CHECK(transept::load_tokenizer(out).bytes(1) == "<b>");
}

TEST_CASE("train_tokenizer --characters gives a text a token per character") {
  if (!support::has_program("train_tokenizer") || !support::has_program("tokenize")) return;
  const support::temporary_folder folder;
  const std::string out = (folder / "new").string(), tokens = (folder / "t").string();
  CHECK_THAT(run_good("train_tokenizer", {"--out", out, "--characters"}, "hello\n"),
             ContainsSubstring("5 tokens"));
  CHECK(run_good("tokenize", {"--model", out}, "hole\n") == "2,4,3,1,0\n");
  CHECK_THAT(run_good("tokenize", {"--model", out, "--out", tokens}, "he"), ContainsSubstring("2 tokens"));
  CHECK(ids_in(tokens) == std::vector<transept::token_id>{2, 1});
  const program_run run = support::run_program("tokenize", {"--model", out, "--out", tokens}, "hex");
  CHECK(run.exit_code == 1);
  CHECK(run.first_error_line() == "the vocabulary lacks a character of \"hex\"");
  CHECK(ids_in(tokens).size() == 2); // what stood there stands there still
}

TEST_CASE("what train_tokenizer cannot do stands on the first line, and its exit code is 1") {
  if (!support::has_program("train_tokenizer")) return;
  const support::temporary_folder folder;
  const std::string out = (folder / "new").string();
  struct {
    std::vector<std::string> arguments;
    std::string_view input;
    const char* words;
  } const cases[] = {
      {{"--out", out}, "", "the texts are empty"},
      {{"--out", out, "--vocab-size", "256"}, "x", "vocab_size must be from 257"},
      {{"--out", out, "--vocab-size", "many"}, "x", "expected a whole number"},
      {{"--out", out, "--vocab-size", "300", "--characters"}, "x", "--characters"},
      {{"--out", out, "/nowhere"}, "x", "/nowhere: cannot be opened"},
      {{"--out", out, folder.path().string()}, "x", "is a folder"},
      {{}, "x", "--out"},
      {{"--out", support::fixture("text/small").string()}, "x", "vocab.json: is there already"},
  };
  for (const auto& each : cases) {
    const program_run run = support::run_program("train_tokenizer", each.arguments, each.input);
    INFO(each.words);
    CHECK(run.exit_code == 1);
    CHECK(run.out.empty());
    CHECK_THAT(run.first_error_line(), ContainsSubstring(each.words));
  }
  CHECK_FALSE(std::filesystem::exists(out));
}
