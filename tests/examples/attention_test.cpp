// examples/attention.cpp, as built.
#include <support/catch.hpp>

#include <support/program_run.hpp>

#include <transept/text/unicode.hpp>

#include <vector>

using support::program_run;

namespace {

std::string draw(std::vector<std::string> arguments) {
  const program_run run = support::run_program("attention", arguments);
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  CHECK(run.err.empty());
  return run.out;
}

std::size_t count(std::string_view text, std::string_view words) {
  std::size_t found = 0;
  for (auto at = text.find(words); at != text.npos; at = text.find(words, at + 1)) ++found;
  return found;
}

/// What keeps `text` from being well-formed XML (of the kind that the program writes); empty: nothing.
std::string fault(std::string_view text) {
  for (std::string_view rest = text; !rest.empty();) {
    const auto next = transept::first_character(rest);
    const bool allowed = next.code_point == '\n' ||
                         (next.code_point >= 0x20 && next.code_point != 0xfffe && next.code_point != 0xffff);
    if (next.code_point == transept::character::not_utf8 || !allowed) return "a character that XML forbids";
    rest.remove_prefix(next.length);
  }
  std::vector<std::string_view> open;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '&') {
      const auto entity = text.substr(at, text.find(';', at) - at + 1);
      if (entity != "&amp;" && entity != "&lt;" && entity != "&gt;" && entity != "&quot;")
        return "an unknown entity: " + std::string(entity.substr(0, 20));
    }
    if (text[at] != '<') continue;
    const std::size_t end = text.find('>', at);
    if (end == text.npos) return "a tag without its end";
    const std::string_view tag = text.substr(at + 1, end - at - 1);
    if (tag.find('<') != tag.npos || count(tag, "\"") % 2 != 0) return "a broken tag: " + std::string(tag);
    if (tag.starts_with('/')) {
      if (open.empty() || open.back() != tag.substr(1)) return "a wrong closing tag: " + std::string(tag);
      open.pop_back();
    } else if (!tag.starts_with('?') && !tag.ends_with('/')) {
      open.push_back(tag.substr(0, tag.find(' ')));
    }
    at = end;
  }
  return open.empty() ? "" : "a tag that is not closed";
}

} // namespace

TEST_CASE("attention draws every head of a layer, tokens by tokens") {
  if (!support::has_program("attention")) return;
  const std::string svg = draw({"--ids", "858,25,198", "--layer", "2"});
  CHECK(fault(svg) == "");
  CHECK(svg.starts_with("<?xml"));
  CHECK(svg.find("Attention in layer 2") != std::string::npos);
  for (const char* head : {"head 0", "head 1", "head 2", "head 3"}) CHECK(count(svg, head) == 1);
  CHECK(count(svg, " → ") == 4 * 6);       // a cell for each token and each that it sees
  CHECK(count(svg, "→ ROMEO: 100%") == 4); // the first sees but itself
}

TEST_CASE("attention draws one head alone, and more cells than fit as rectangles") {
  if (!support::has_program("attention")) return;
  const std::string one = draw({"--head", "1"});
  CHECK(fault(one) == "");
  CHECK(one.find("Attention of head 1 in layer 0") != std::string::npos);
  CHECK(one.find(">·be<") != one.npos); // spaces are visible
  std::string words;
  for (int i = 0; i < 200; ++i) words += " to";
  CHECK(fault(draw({"--prompt", words})) == "");
  CHECK(fault(draw({"--ids", "1"})) == "");
}

TEST_CASE("attention's picture is well-formed XML for any bytes") {
  if (!support::has_program("attention")) return;
  std::string bytes;
  for (int i = 1; i < 128; ++i) bytes += static_cast<char>(i);
  CHECK(fault(draw({"--prompt", bytes})) == "");
  CHECK(fault(draw(
            {"--prompt", "\xff\xfe <&>\"' 日本 😁 \xe2\x80\xae \xef\xbf\xbe e\xcc\x81 \xed\xa0\x80"})) == "");
}

TEST_CASE("attention names tokens by their ids where there is no vocabulary, and writes a file whole") {
  if (!support::has_program("attention")) return;
  const support::folder_without_vocabulary folder;
  const support::temporary_folder out;
  const std::string file = (out / "a.svg").string();
  CHECK(draw({"--model", folder.path().string(), "--ids", "858,25", "--out", file}).empty());
  const std::string svg = support::read_file(file);
  CHECK(fault(svg) == "");
  CHECK(svg.find(">858<") != std::string::npos);
}

TEST_CASE("what is wrong with attention's input stands on the first line") {
  if (!support::has_program("attention")) return;
  struct {
    std::vector<std::string> arguments;
    std::string words;
  } const cases[] = {{{"--layer", "4"}, "--layer 4"},
                     {{"--head", "-1"}, "--head -1"},
                     {{"--ids", "1024"}, "1024"},
                     {{"--out", "/no such folder/a.svg"}, "/no such folder"}};
  for (const auto& wrong : cases) {
    const program_run run = support::run_program("attention", wrong.arguments);
    CAPTURE(wrong.arguments, run.err);
    CHECK(run.exit_code == 1);
    CHECK(run.out.empty());
    CHECK(run.first_error_line().find(wrong.words) != std::string::npos);
  }
}
