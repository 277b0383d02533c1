// core/json.hpp: what strict reading refuses, what it keeps, and that hostile text is shown harmlessly.
#include <support/catch.hpp>

#include <string>

#include <transept/core/display.hpp>
#include <transept/core/json.hpp>

using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using transept::described;
using transept::format_error;
using transept::json;
using transept::json_literal;
using transept::parse_json;
using transept::quoted;

namespace {

std::string message_of(std::string_view text, int max_depth = 64) {
  try {
    parse_json(text, "some.json", max_depth);
  } catch (const format_error& error) {
    return error.what();
  }
  return "accepted";
}

} // namespace

TEST_CASE("a document comes through as it was written") {
  const json value =
      parse_json(R"( {"a": [1, -2, 2.5, true, null, "x\u00e9\n", {}, []], "b": {"c": {"d": []}}} )", "x");
  REQUIRE(value.size() == 2);
  const json& a = value.at("a");
  REQUIRE(a.size() == 8);
  CHECK(a[0].is_number_unsigned());
  CHECK(a[0].get<int>() == 1);
  CHECK(a[1].get<int>() == -2);
  CHECK(a[2].get<double>() == 2.5);
  CHECK(a[3].get<bool>());
  CHECK(a[4].is_null());
  CHECK(a[5].get<std::string>() == "x\xc3\xa9\n");
  CHECK((a[6].is_object() && a[6].empty()));
  CHECK((a[7].is_array() && a[7].empty()));
  CHECK(value.at("b").at("c").at("d").is_array());
  CHECK(parse_json("7", "x").get<int>() == 7);
  CHECK(parse_json("18446744073709551615", "x").get<std::uint64_t>() == 18446744073709551615u);
  CHECK(parse_json("18446744073709551616", "x").is_number_float());
  CHECK(parse_json("\xef\xbb\xbf{}", "x").is_object());
}

TEST_CASE("siblings after a nested value still land in their own parent") {
  const json value = parse_json(R"([[1,[2]],{"a":[3],"b":4},5])", "x");
  REQUIRE(value.size() == 3);
  CHECK(value[0][1][0].get<int>() == 2);
  CHECK(value[1].at("b").get<int>() == 4);
  CHECK(value[2].get<int>() == 5);
}

TEST_CASE("duplicate keys are refused at any level") {
  CHECK(message_of(R"({"a":1,"a":1})") == R"(some.json: duplicate key "a")");
  CHECK(message_of(R"({"x":{"a":1,"b":{},"a":{}}})") == R"(some.json: duplicate key "a")");
  CHECK(message_of(R"({"x":{"a":1},"y":{"a":1}})") == "accepted");
  CHECK(message_of("{\"a\":1,\"\\u0061\":1}") == R"(some.json: duplicate key "a")");
}

TEST_CASE("nesting is bounded") {
  const std::string open(1'000'000, '[');
  CHECK(message_of(open) == "some.json: JSON nested deeper than 64 levels");
  CHECK(message_of(std::string(64, '[') + std::string(64, ']')) == "accepted");
  CHECK(message_of(std::string(65, '[') + std::string(65, ']')) ==
        "some.json: JSON nested deeper than 64 levels");
  CHECK(message_of(R"({"a":{"b":1}})", 2) == "accepted");
  CHECK(message_of(R"({"a":{"b":[]}})", 2) == "some.json: JSON nested deeper than 2 levels");
}

TEST_CASE("what is no JSON is refused with the file's name and the place") {
  CHECK_THAT(message_of(""), StartsWith("some.json: not valid JSON at byte "));
  for (const char* text : {"{", "{\"a\"", "{\"a\":", "[1,]", "{}x", "{} {}", "nul", "NaN", "[Infinity]", "01",
                           "1e999", "'a'", "{a:1}", "\"\\x\"", "\"a\nb\"", "// c\n{}"}) {
    CAPTURE(text);
    CHECK_THAT(message_of(text), StartsWith("some.json: not valid JSON at byte "));
  }
  using namespace std::string_literals;
  CHECK(message_of("{}\0garbage"s) == "some.json: not valid JSON at byte 3: zero byte");
  CHECK(message_of("{}\0"s) == "some.json: not valid JSON at byte 3: zero byte");
}

TEST_CASE("text that is not UTF-8 is refused and not repeated in the message") {
  for (const char* text : {"\"\xff\"", "\"\xc3\"", "\"\xc0\xaf\"", "\"\xed\xa0\x80\"", "\"\xf5\x80\x80\x80\"",
                           "{\"\xff\":1}", "\"\\ud800\""}) {
    const std::string message = message_of(text);
    CHECK_THAT(message, StartsWith("some.json: not valid JSON at byte "));
    for (const char c : message) CHECK((c >= ' ' && c < 0x7f));
  }
}

TEST_CASE("a long token does not make a long message") {
  CHECK(message_of("\"" + std::string(1'000'000, 'a')).size() < 300);
  CHECK(message_of("{\"" + std::string(1000, 'k') + "\":1,\"" + std::string(1000, 'k') + "\":1}").size() <
        200);
}

TEST_CASE("hostile text is quoted harmlessly") {
  using namespace std::string_literals;
  CHECK(quoted("wte.weight") == "\"wte.weight\"");
  CHECK(quoted("a\x1b[2Jb\n\"\\\0"s) == R"("a\x1b[2Jb\n\"\\\x00")");
  CHECK(quoted("\xc4\xa0hello") == "\"\xc4\xa0hello\"");
  CHECK(quoted("\xe2\x80\xae") == R"("\xe2\x80\xae")");
  CHECK(quoted("\xff\xc3") == R"("\xff\xc3")");
  CHECK(quoted(std::string(81, 'x')) == "\"" + std::string(80, 'x') + "...\" (81 bytes)");
}

TEST_CASE("values are described in a few words") {
  CHECK(described(json()) == "null");
  CHECK(described(parse_json("-3", "x")) == "-3");
  CHECK(described(parse_json("1.5", "x")) == "1.5");
  CHECK(described(parse_json("false", "x")) == "false");
  CHECK(described(parse_json("\"a\\u0007\"", "x")) == R"("a\x07")");
  CHECK(described(parse_json("[1]", "x")) == "an array of 1 value");
  CHECK(described(parse_json("{}", "x")) == "an object of 0 values");
}

TEST_CASE("a literal reads back as the text it was made from") {
  using namespace std::string_literals;
  for (const std::string& text : {""s, "a\"b\\c"s, "tab\tnew\n\0zero\x1f"s, "\xc3\xa9\xf0\x9f\x98\x81"s}) {
    const std::string literal = json_literal(text);
    CAPTURE(literal);
    if (text.find('\0') == text.npos) CHECK(parse_json(literal, "x").get<std::string>() == text);
  }
  CHECK(json_literal("a\xff") == "\"a\xef\xbf\xbd\"");
  CHECK(parse_json(json_literal("a\0b"s), "x").get<std::string>() == "a\0b"s);
}
