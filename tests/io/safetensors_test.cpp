// io/safetensors.hpp: what is accepted, and the words for each thing that is not.
#include <support/catch.hpp>

#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include <support/paths.hpp>
#include <support/safetensors_bytes.hpp>
#include <support/temporary_folder.hpp>

#include <transept/io/safetensors.hpp>

using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;
using support::eight_bytes;
using support::safetensors_bytes;
using transept::format_error;
using transept::safetensors_file;
using transept::stored_tensor;

namespace {

using shape = std::vector<std::uint64_t>;

/// The message's first line without the folder, or "accepted". Another exception type fails the test.
std::string verdict(std::string_view bytes, bool first_line = true) {
  const support::temporary_folder folder;
  support::write_file(folder / "f", bytes);
  try {
    safetensors_file::open(folder / "f");
  } catch (const format_error& error) {
    const std::string message = error.what();
    const std::string prefix = (folder / "f").string() + ": ";
    REQUIRE_THAT(message, StartsWith(prefix));
    const std::string rest = message.substr(prefix.size());
    return first_line ? rest.substr(0, rest.find('\n')) : rest;
  }
  return "accepted";
}

std::string header_verdict(std::string_view header, std::size_t data_bytes = 0) {
  return verdict(safetensors_bytes(header, std::string(data_bytes, '\1')));
}

/// One tensor "t" with these members.
std::string tensor_verdict(const std::string& dtype, const std::string& extents, const std::string& offsets,
                           std::size_t data_bytes) {
  return header_verdict(R"({"t":{"dtype":)" + dtype + R"(,"shape":)" + extents + R"(,"data_offsets":)" +
                            offsets + "}}",
                        data_bytes);
}

std::string f32(float value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

} // namespace

TEST_CASE("a safetensors file gives its tensors in the order of their bytes") {
  const support::temporary_folder folder;
  const auto path = folder / "model.safetensors";
  support::write_file(path, safetensors_bytes(R"({"__metadata__":{"format":"pt","a":"\u00e9"},)"
                                              R"("a":{"dtype":"F32","shape":[2],"data_offsets":[2,10]},)"
                                              R"("z":{"dtype":"BF16","shape":[],"data_offsets":[0,2]}})",
                                              "\x80\x3f" + f32(1.5f) + f32(-2.0f)));
  const auto file = safetensors_file::open(path);
  REQUIRE(file.tensors().size() == 2);
  CHECK(file.tensors()[0].name == "z");
  CHECK(file.tensors()[0].dtype == "BF16");
  CHECK(file.tensors()[0].shape == shape{});
  CHECK(file.tensors()[0].bytes.size() == 2);
  const stored_tensor* const a = file.find("a");
  REQUIRE(a == &file.tensors()[1]);
  CHECK(a->shape == shape{2});
  CHECK(a->source == path.string());
  float values[2];
  REQUIRE(a->bytes.size() == sizeof values);
  std::memcpy(values, a->bytes.data(), sizeof values);
  CHECK(values[0] == 1.5f);
  CHECK(values[1] == -2.0f);
  CHECK(file.find("b") == nullptr);
  CHECK(file.find("") == nullptr);
  CHECK(file.metadata().at("format") == "pt");
  CHECK(file.metadata().at("a") == "\xc3\xa9");
}

TEST_CASE("bytes stay mapped as long as the owner is kept") {
  const support::temporary_folder folder;
  support::write_file(folder / "f",
                      safetensors_bytes(R"({"t":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}})", "abc"));
  std::shared_ptr<const void> owner;
  std::span<const std::byte> bytes;
  {
    const auto file = safetensors_file::open(folder / "f");
    owner = file.owner();
    bytes = file.find("t")->bytes;
  }
  CHECK(std::memcmp(bytes.data(), "abc", 3) == 0);
}

TEST_CASE("the shipped model is a valid file") {
  const auto file = safetensors_file::open(support::shipped_model() / "model.safetensors");
  REQUIRE(file.find("wte.weight") != nullptr);
  CHECK(file.find("wte.weight")->shape == shape{1024, 256});
  CHECK(file.metadata().at("format") == "pt");
}

TEST_CASE("files too short for a header length are refused") {
  for (std::size_t size = 0; size < 8; ++size) {
    CHECK(verdict(std::string(size, '\0')) ==
          "no safetensors file: expected at least 8 bytes, found " + std::to_string(size));
  }
}

TEST_CASE("header lengths past the end, past the format's limit, or absurd are refused") {
  CHECK(verdict(eight_bytes(3) + "{}") ==
        "header length: expected at most the 2 bytes that the file holds after it, found 3");
  CHECK(verdict(eight_bytes(1)) ==
        "header length: expected at most the 0 bytes that the file holds after it, found 1");
  CHECK(verdict(eight_bytes(100'000'000) + "{}") ==
        "header length: expected at most the 2 bytes that the file holds after it, found 100000000");
  CHECK(verdict(eight_bytes(100'000'001) + "{}") ==
        "header length: expected at most 100000000 bytes, found 100000001");
  CHECK(verdict(eight_bytes(~std::uint64_t{0}) + "{}") ==
        "header length: expected at most 100000000 bytes, found 18446744073709551615");
  CHECK(verdict(eight_bytes(~std::uint64_t{0} - 7) + "{}") ==
        "header length: expected at most 100000000 bytes, found 18446744073709551608");
}

TEST_CASE("a Git LFS pointer is called by its name") {
  CHECK_THAT(verdict("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n", false),
             ContainsSubstring("Git LFS pointer") && ContainsSubstring("git lfs pull"));
}

TEST_CASE("headers that are no strict JSON are refused") {
  CHECK_THAT(header_verdict(""), StartsWith("header: not valid JSON"));
  CHECK_THAT(header_verdict("{"), StartsWith("header: not valid JSON"));
  CHECK_THAT(header_verdict("{\"\xff\":{}}"),
             StartsWith("header: not valid JSON") && ContainsSubstring("UTF-8"));
  CHECK_THAT(header_verdict("{}{}"), StartsWith("header: not valid JSON"));
  CHECK_THAT(header_verdict(std::string("{}\0 ", 4)),
             StartsWith("header: not valid JSON at byte 3: zero byte"));
  CHECK(header_verdict(std::string(1'000'000, '[')) == "header: JSON nested deeper than 8 levels");
  std::string nested;
  for (int i = 0; i < 100'000; ++i) nested += "{\"a\":";
  CHECK(header_verdict(nested) == "header: JSON nested deeper than 8 levels");
  const std::string tensor = R"("t":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
  CHECK(header_verdict("{" + tensor + "," + tensor + "}") == "header: duplicate key \"t\"");
  CHECK(header_verdict(R"({"t":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}})") ==
        "header: duplicate key \"dtype\"");
  CHECK(header_verdict("[]") == "header: expected a JSON object, found an array of 0 values");
  CHECK(header_verdict("null") == "header: expected a JSON object, found null");
}

TEST_CASE("metadata that is no map of strings is refused") {
  CHECK(header_verdict(R"({"__metadata__":[]})") ==
        "__metadata__: expected an object of strings, found an array of 0 values");
  CHECK(header_verdict(R"({"__metadata__":{"a":1}})") ==
        R"(__metadata__: key "a": expected a string, found 1)");
}

TEST_CASE("shapes that overflow, are negative, fractional, huge or of absurd rank are refused") {
  CHECK(tensor_verdict("\"F32\"", "[2,18446744073709551614]", "[0,8]", 8) ==
        R"(tensor "t": shape: [2, 18446744073709551614] of F32 overflows 64 bits)");
  CHECK(tensor_verdict("\"F32\"", "[4294967296,4294967296]", "[0,0]", 0) ==
        R"(tensor "t": shape: [4294967296, 4294967296] of F32 overflows 64 bits)");
  CHECK(tensor_verdict("\"F32\"", "[4611686018427387904]", "[0,0]", 0) ==
        R"(tensor "t": shape: [4611686018427387904] of F32 overflows 64 bits)");
  CHECK(tensor_verdict("\"F32\"", "[-1]", "[0,4]", 4) ==
        R"(tensor "t": shape: expected whole numbers from 0 to 2^64 - 1, found -1)");
  CHECK(tensor_verdict("\"F32\"", "[1.5]", "[0,4]", 4) ==
        R"(tensor "t": shape: expected whole numbers from 0 to 2^64 - 1, found 1.5)");
  CHECK(tensor_verdict("\"F32\"", "[1.0]", "[0,4]", 4) ==
        R"(tensor "t": shape: expected whole numbers from 0 to 2^64 - 1, found 1)");
  CHECK(tensor_verdict("\"F32\"", "[18446744073709551616]", "[0,4]", 4) ==
        R"(tensor "t": shape: expected whole numbers from 0 to 2^64 - 1, found 1.84467e+19)");
  CHECK(tensor_verdict("\"F32\"", "[\"1\"]", "[0,4]", 4) ==
        R"(tensor "t": shape: expected whole numbers from 0 to 2^64 - 1, found "1")");
  CHECK(tensor_verdict("\"F32\"", "4", "[0,4]", 4) == R"(tensor "t": shape: expected an array, found 4)");
  std::string hundred = "1";
  for (int i = 1; i < 100; ++i) hundred += ",1";
  CHECK(tensor_verdict("\"F32\"", "[" + hundred + "]", "[0,4]", 4) ==
        R"(tensor "t": shape: expected at most 32 dimensions, found 100)");
}

TEST_CASE("unknown types are refused") {
  CHECK(tensor_verdict("\"F33\"", "[1]", "[0,4]", 4) ==
        R"(tensor "t": dtype: expected a type of the safetensors format, found "F33")");
  CHECK(tensor_verdict("\"f32\"", "[1]", "[0,4]", 4) ==
        R"(tensor "t": dtype: expected a type of the safetensors format, found "f32")");
  CHECK(tensor_verdict("7", "[1]", "[0,4]", 4) ==
        R"(tensor "t": dtype: expected a type of the safetensors format, found 7)");
}

TEST_CASE("entries with missing or misshapen members are refused") {
  CHECK(header_verdict(R"({"t":3})") == R"(tensor "t": expected an object, found 3)");
  CHECK(header_verdict(R"({"t":{"shape":[],"data_offsets":[0,0]}})") ==
        R"(tensor "t": expected the key "dtype", found none)");
  CHECK(header_verdict(R"({"t":{"dtype":"U8","data_offsets":[0,0]}})") ==
        R"(tensor "t": expected the key "shape", found none)");
  CHECK(header_verdict(R"({"t":{"dtype":"U8","shape":[0]}})") ==
        R"(tensor "t": expected the key "data_offsets", found none)");
  CHECK(tensor_verdict("\"U8\"", "[1]", "[0]", 1) ==
        R"(tensor "t": data_offsets: expected [begin, end], found an array of 1 value)");
  CHECK(tensor_verdict("\"U8\"", "[1]", "[0,1,1]", 1) ==
        R"(tensor "t": data_offsets: expected [begin, end], found an array of 3 values)");
  CHECK(tensor_verdict("\"U8\"", "[1]", "[-1,0]", 1) ==
        R"(tensor "t": data_offsets: expected whole numbers from 0 to 2^64 - 1, found -1)");
}

TEST_CASE("offsets that are reversed, out of range, overlapping or leave holes are refused") {
  CHECK(tensor_verdict("\"U8\"", "[1]", "[1,0]", 1) ==
        R"(tensor "t": data_offsets: expected begin <= end, found [1, 0])");
  CHECK(tensor_verdict("\"U8\"", "[4]", "[0,4]", 3) ==
        R"(tensor "t": data_offsets: out of range: expected end at )"
        R"(most 3, the bytes of the data section, found 4)");
  CHECK(tensor_verdict("\"U8\"", "[4]", "[18446744073709551611,18446744073709551615]", 4) ==
        R"(tensor "t": data_offsets: a hole before: expected begin at 0, found 18446744073709551611)");
  CHECK(tensor_verdict("\"U8\"", "[2]", "[2,4]", 4) ==
        R"(tensor "t": data_offsets: a hole before: expected begin at 0, found 2)");
  const std::string two = R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
                          R"("b":{"dtype":"U8","shape":[2],"data_offsets":)";
  CHECK(header_verdict(two + "[3,5]}}", 5) ==
        R"(tensor "b": data_offsets: overlap: expected begin at 4, found 3)");
  CHECK(header_verdict(two + "[1,3]}}", 4) ==
        R"(tensor "b": data_offsets: overlap: expected begin at 4, found 1)");
  CHECK(header_verdict(two + "[5,7]}}", 7) ==
        R"(tensor "b": data_offsets: a hole before: expected begin at 4, found 5)");
  CHECK(header_verdict(two + "[4,6]}}", 6) == "accepted");
}

TEST_CASE("trailing, missing, or miscounted bytes are refused") {
  CHECK(tensor_verdict("\"U8\"", "[4]", "[0,4]", 5) ==
        "trailing bytes: expected a data section of 4 bytes, found 5");
  CHECK(header_verdict("{}", 1) == "trailing bytes: expected a data section of 0 bytes, found 1");
  CHECK(tensor_verdict("\"F32\"", "[2,3]", "[0,20]", 20) ==
        R"(tensor "t": data_offsets: expected the 24 bytes of [2, 3] of F32, found 20)");
  CHECK(tensor_verdict("\"F32\"", "[]", "[0,0]", 0) ==
        R"(tensor "t": data_offsets: expected the 4 bytes of [] of F32, found 0)");
  CHECK(tensor_verdict("\"F32\"", "[0]", "[0,4]", 4) ==
        R"(tensor "t": data_offsets: expected the 0 bytes of [0] of F32, found 4)");
  CHECK(tensor_verdict("\"F4\"", "[3]", "[0,2]", 2) ==
        R"(tensor "t": shape: [3] of F4 is no whole number of bytes)");
}

TEST_CASE("a file cut short says that it may have been") {
  const std::string whole = support::read_file(support::shipped_model() / "model.safetensors");
  CHECK_THAT(verdict(std::string_view(whole).substr(0, whole.size() - 1), false),
             ContainsSubstring("out of range") && ContainsSubstring("cut short"));
}

TEST_CASE("hostile names are shown harmlessly") {
  CHECK(header_verdict("{\"\\u001b[2J\\n\":3}") == R"(tensor "\x1b[2J\n": expected an object, found 3)");
}

TEST_CASE("padding, empty tensors, scalars, odd addresses and unknown members are accepted") {
  CHECK(header_verdict("{}") == "accepted");
  CHECK(header_verdict("{}       ") == "accepted");
  CHECK(header_verdict(" \n{ } ") == "accepted");
  CHECK(header_verdict(R"({"__metadata__":{}})") == "accepted");
  CHECK(tensor_verdict("\"F32\"", "[0]", "[0,0]", 0) == "accepted");
  CHECK(tensor_verdict("\"F32\"", "[5,0,7]", "[0,0]", 0) == "accepted");
  CHECK(tensor_verdict("\"F32\"", "[]", "[0,4]", 4) == "accepted");
  for (std::size_t padding = 0; padding < 8; ++padding) {
    CHECK(header_verdict(
              R"({"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})" + std::string(padding, ' '), 4) ==
          "accepted");
  }
  CHECK(header_verdict(R"({"t":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"more":[{}]}})", 1) ==
        "accepted");
  // An empty tensor at the border of two others, whatever its name.
  CHECK(header_verdict(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                       R"("b":{"dtype":"U8","shape":[0],"data_offsets":[1,1]},)"
                       R"("c":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
                       2) == "accepted");
}

TEST_CASE("every type of the format is known by its size") {
  const std::vector<std::pair<const char*, int>> types{
      {"BOOL", 8}, {"U8", 8},   {"I8", 8},    {"F8_E4M3", 8}, {"F8_E5M2", 8}, {"F8_E8M0", 8}, {"I16", 16},
      {"U16", 16}, {"F16", 16}, {"BF16", 16}, {"I32", 32},    {"U32", 32},    {"F32", 32},    {"F64", 64},
      {"I64", 64}, {"U64", 64}, {"C64", 64},  {"F4", 4},      {"F6_E2M3", 6}, {"F6_E3M2", 6}};
  for (const auto& [name, bits] : types) {
    CAPTURE(name);
    const auto bytes = static_cast<std::size_t>(bits); // 8 elements
    CHECK(tensor_verdict("\"" + std::string(name) + "\"", "[8]", "[0," + std::to_string(bytes) + "]",
                         bytes) == "accepted");
    CHECK(tensor_verdict("\"" + std::string(name) + "\"", "[8]", "[0," + std::to_string(bytes + 1) + "]",
                         bytes + 1) != "accepted");
  }
}
