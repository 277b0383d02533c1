// examples/explore.cpp and examples/minimal.cpp, as built.
#include <support/catch.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <support/program_run.hpp>
#include <support/shipped_model.hpp>

using support::program_run;

namespace {

const support::shipped_model_facts& shipped = support::shipped_facts();

/// The text above each list of words that was shown.
std::vector<std::string> texts(const std::string& shown) {
  std::vector<std::string> found;
  for (std::size_t from = 0, list; (list = shown.find("\n\n   1 ", from)) != shown.npos;) {
    found.push_back(shown.substr(from, list - from));
    from = std::min(shown.find("\n\n", list + 2), shown.size() - 2) + 2;
  }
  return found;
}

program_run explore(std::vector<std::string> arguments, std::string_view input) {
  program_run run = support::run_program("explore", arguments, input);
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  return run;
}

} // namespace

TEST_CASE("explore shows ten words with bars, the likeliest first") {
  if (!support::has_program("explore")) return;
  const auto& words = shipped.next_words;
  std::string expected = shipped.prompt + "\n\n";
  for (std::size_t i = 0; i < words.size(); ++i) {
    // The longest bar has 24 columns, of eight parts each.
    const int eighths = static_cast<int>(std::lround(24 * 8 * words[i].probability / words[0].probability));
    std::string bar;
    for (int column = 0; column < 24; ++column) {
      static const char* const part[] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};
      bar += part[std::clamp(eighths - 8 * column, 0, 8)];
    }
    char line[200];
    std::snprintf(line, sizeof line, "  %2zu  %5.1f%%  %s  \"%s\"\n", i + 1, 100 * words[i].probability,
                  bar.c_str(), words[i].text.c_str());
    expected += line;
  }
  CHECK(explore({"--prompt", shipped.prompt}, "").out == expected + "\n");
}

TEST_CASE("explore follows numbers, typed text, undo and quit") {
  if (!support::has_program("explore")) return;
  const program_run run =
      explore({"--prompt", "ROMEO:\n"}, "3\n, my lord\nu\n\n+12\nu\nu\nu\nu\n11\n\\\nq\nq\nnever read\n");
  const std::string third = "ROMEO:\n" + shipped.next_words[2].text;
  const auto seen = texts(run.out);
  REQUIRE(seen.size() == 12);
  const std::string more = seen[4]; // the likeliest word after the third
  CHECK(more.size() > third.size());
  CHECK_THAT(run.out, Catch::ContainsSubstring(third + "\n\n   1 ") &&
                          Catch::ContainsSubstring("\"" + more.substr(third.size()) + "\"\n"));
  CHECK(seen == std::vector<std::string>{"ROMEO:\n", third, third + ", my lord", third, more, more + "12",
                                         more, third, "ROMEO:\n", "ROMEO:\n", "ROMEO:\n", "ROMEO:\n\nq"});
  CHECK(run.err == "nothing to undo\nwords are numbered from 1 to 10; +11 adds 11\n");
}

TEST_CASE("undo in explore gives the same words again") {
  if (!support::has_program("explore")) return;
  const program_run run = explore({"--prompt", "The king"}, "2\n and\nu\nu\n");
  const std::size_t again = run.out.rfind("The king\n\n");
  REQUIRE(again != 0);
  CHECK(run.out.substr(again) == run.out.substr(0, run.out.size() - again));
}

TEST_CASE("explore begins with nothing, and needs no vocabulary") {
  if (!support::has_program("explore")) return;
  CHECK(texts(explore({}, "").out) == std::vector<std::string>{""});
  const support::folder_without_vocabulary folder;
  const program_run run =
      explore({"--model", folder.path().string(), "--ids", shipped.id_list()}, "1\nhello\n");
  CHECK(texts(run.out) ==
        std::vector<std::string>{shipped.id_list(), shipped.id_list(1), shipped.id_list(1)});
  CHECK(run.err == "without a vocabulary only numbers can be chosen\n");
}

TEST_CASE("explore stays where the context is full") {
  if (!support::has_program("explore")) return;
  std::string full = "1";
  for (int i = 1; i < 256; ++i) full += ",1";
  const program_run run = explore({"--ids", full}, "1\n");
  CHECK(run.err == "the model's context has no room for that: u goes back\n");
}

TEST_CASE("minimal writes, and says what is wrong") {
  if (!support::has_program("minimal")) return;
  const program_run run = support::run_program("minimal", {});
  CHECK(run.exit_code == 0);
  CHECK(run.out.size() > 100);
  CHECK(run.err.empty());
  const program_run wrong = support::run_program("minimal", {"--model", "/nowhere"});
  CHECK(wrong.exit_code == 1);
  CHECK_THAT(wrong.first_error_line(), Catch::ContainsSubstring("/nowhere"));
  const program_run help = support::run_program("minimal", {"--help"});
  CHECK(help.exit_code == 0);
  CHECK_THAT(help.out, Catch::ContainsSubstring("--threads"));
}
