// examples/tokenize.cpp, as built.
#include <support/catch.hpp>

#include <support/program_run.hpp>

#include <transept/core/random.hpp>

using support::program_run;

namespace {

std::string tokenize(std::vector<std::string> arguments, std::string_view input) {
  const program_run run = support::run_program("tokenize", arguments, input);
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  return run.out;
}

} // namespace

TEST_CASE("tokenize prints ids on one line, and nothing of an empty input") {
  if (!support::has_program("tokenize")) return;
  CHECK(tokenize({}, "ROMEO:\n") == "858,25,198\n");
  CHECK(tokenize({}, "") == "\n");
  CHECK(tokenize({"--decode"}, "") == "");
  CHECK(tokenize({"--decode"}, "\n") == "");
}

TEST_CASE("tokenize --decode gives every byte back") {
  if (!support::has_program("tokenize")) return;
  std::string bytes = std::string("\0\r\n\xff\xfe", 5) + "\r\n😁 ";
  transept::random_stream random(1);
  for (int i = 0; i < 10000; ++i) bytes += static_cast<char>(random.next());
  CHECK(tokenize({"--decode"}, tokenize({}, bytes)) == bytes);
  CHECK(tokenize({"--decode"}, " 858, 25\n198\t") == "ROMEO:\n");     // white space separates too
  CHECK(tokenize({"--decode"}, " [858, 25,\n198 ]\n") == "ROMEO:\n"); // JSON
  CHECK(tokenize({"--decode"}, "[]") == "");
  for (const char* const broken : {"[858", "[858,]", "858]", "[[858]]"})
    CHECK(support::run_program("tokenize", {"--decode"}, broken).exit_code != 0);
}

TEST_CASE("tokenize takes special tokens for what they are only where that is allowed") {
  if (!support::has_program("tokenize")) return;
  CHECK(tokenize({"--allow-special"}, "a<|endoftext|>") == "64,1023\n");
  const std::string as_text = tokenize({}, "a<|endoftext|>");
  CHECK(as_text.find("1023") == std::string::npos);
  CHECK(tokenize({"--decode"}, as_text) == "a<|endoftext|>");
  CHECK(tokenize({"--decode"}, "64,1023") == "a<|endoftext|>");
}

TEST_CASE("tokenize needs a vocabulary and nothing else") {
  if (!support::has_program("tokenize")) return;
  const auto shared = support::shared_dir();
  if (!shared) return;
  const std::string folder = (*shared / "data" / "gpt2").string();
  CHECK(tokenize({"--model", folder}, "Hello, world!") == "15496,11,995,0\n");
}

TEST_CASE("what is wrong with tokenize's input stands on the first line, and its exit code is 1") {
  if (!support::has_program("tokenize")) return;
  const support::folder_without_vocabulary folder;
  struct {
    std::vector<std::string> arguments;
    std::string_view input;
    const char* words;
  } const cases[] = {
      {{"--decode"}, "1,x", "standard input: \"x\" is not a token id"},
      {{"--decode"}, "1,2000", "token id 2000 is not in the vocabulary"},
      {{"--decode"}, "1,-2", "\"-2\" is not a token id"},
      {{"--model", folder.path().string()}, "x", "no tokenizer here"},
      {{"--model", "/nowhere"}, "x", "/nowhere"},
  };
  for (const auto& each : cases) {
    const program_run run = support::run_program("tokenize", each.arguments, each.input);
    INFO(each.words);
    CHECK(run.exit_code == 1);
    CHECK(run.out.empty());
    CHECK_THAT(run.first_error_line(), Catch::ContainsSubstring(each.words));
  }
}

TEST_CASE("tokenize says so where a text is UTF-16") {
  if (!support::has_program("tokenize")) return;
  using namespace std::string_view_literals;
  for (const std::string_view text : {"\xff\xfeh\0i\0"sv, "h\0e\0l\0l\0o\0"sv, "\0h\0e\0l\0l\0o"sv})
    CHECK_THAT(support::run_program("tokenize", {}, text).err, Catch::ContainsSubstring("found UTF-16"));
  for (const std::string_view text : {"hello"sv, "\0"sv, "a\0b"sv, "\xfe"sv})
    CHECK(support::run_program("tokenize", {}, text).err == "");
}
