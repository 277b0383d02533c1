// io/gguf.hpp and io/gguf_values.hpp: what is accepted, and the words for each thing that is not.
#include <support/catch.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <support/gguf_bytes.hpp>
#include <support/paths.hpp>
#include <support/temporary_folder.hpp>

#include <transept/io/gguf.hpp>

using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;
using support::gguf_array;
using support::gguf_bytes;
using support::gguf_key;
using support::gguf_parts;
using support::gguf_string;
using support::gguf_strings;
using support::gguf_tensor;
using support::number_bytes;
using transept::format_error;
using transept::gguf_file;

namespace {

constexpr std::uint64_t huge = static_cast<std::uint64_t>(-1);

/// The message without the folder, or "accepted". Another exception type fails the test.
std::string verdict(std::string_view bytes) {
  const support::temporary_folder folder;
  const auto path = folder / "f.gguf";
  support::write_file(path, bytes);
  try {
    gguf_file::open(path);
  } catch (const format_error& error) {
    const std::string message = error.what();
    const std::string prefix = path.string() + ": ";
    REQUIRE_THAT(message, StartsWith(prefix));
    return message.substr(prefix.size());
  }
  return "accepted";
}

/// Of a file with this one entry among its keys.
std::string key_verdict(const std::string& entry) { return verdict(gguf_bytes({.keys = {entry}})); }

/// Of a file with these tensors and so many bytes of data.
std::string tensor_verdict(const std::vector<std::string>& tensors, std::size_t data_bytes) {
  return verdict(gguf_bytes({.tensors = tensors, .data = std::string(data_bytes, '\1')}));
}

/// Opens a file made of `parts`, and calls `f` with it.
template <class F>
void with_file(const gguf_parts& parts, F&& f) {
  const support::temporary_folder folder;
  support::write_file(folder / "f.gguf", gguf_bytes(parts));
  f(gguf_file::open(folder / "f.gguf"));
}

} // namespace

TEST_CASE("a GGUF file gives its keys by type and its tensors outermost dimension first") {
  const gguf_parts parts{.keys = {gguf_key("general.architecture", "gpt2"), gguf_key("a.u32", 7u),
                                  gguf_key("a.f32", 0.5f), gguf_key("a.f64", 12, number_bytes(0.25)),
                                  gguf_key("a.i8", 1, "\xff"), gguf_key("a.u64", 10, number_bytes(huge)),
                                  gguf_key("a.bool", 7, std::string(1, '\1')),
                                  gguf_key("a.texts", 9, gguf_strings({"x", "", "yz"})),
                                  gguf_key("a.ints", 9, gguf_array(5, 2, number_bytes(-3) + number_bytes(4))),
                                  gguf_key("a.nested", 9, gguf_array(9, 1, gguf_array(0, 2, "ab")))},
                         .tensors = {gguf_tensor("b", {2, 3}, 0, 32), gguf_tensor("a", {32}, 8, 64),
                                     gguf_tensor("none", {0, 5}, 1, 0), gguf_tensor("scalar", {}, 24, 0)},
                         .data = std::string(64, 'x') + std::string(34, 'y')};
  with_file(parts, [](const gguf_file& file) {
    CHECK(file.version() == 3);
    CHECK(file.metadata().values().size() == 10);
    CHECK(file.metadata().text("general.architecture") == "gpt2");
    CHECK(file.metadata().count("a.u32") == 7);
    CHECK(file.metadata().count("a.u64") == huge);
    CHECK(file.metadata().number("a.f32") == 0.5);
    CHECK(file.metadata().number("a.f64") == 0.25);
    CHECK(file.metadata().texts("a.texts") == std::vector<std::string_view>{"x", "", "yz"});
    CHECK(file.metadata().integers("a.ints") == std::vector<std::int64_t>{-3, 4});
    CHECK_FALSE(file.metadata().text("missing"));
    CHECK_FALSE(file.metadata().texts("missing"));

    REQUIRE(file.tensors().size() == 4);
    CHECK(file.tensors().front().name == "none");
    CHECK(file.find("b")->shape == std::vector<std::uint64_t>{3, 2});
    CHECK(file.find("b")->dtype == "F32");
    CHECK(file.find("b")->bytes.size() == 24);
    CHECK(file.find("a")->dtype == "Q8_0");
    CHECK(static_cast<char>(file.find("a")->bytes.front()) == 'y');
    CHECK(file.find("scalar")->bytes.size() == 1);
    CHECK(file.find("missing") == nullptr);
  });
}

TEST_CASE("version 2, another alignment, and a last tensor with or without padding are accepted") {
  with_file({.tensors = {gguf_tensor("a", {1}, 0, 0)}, .data = "abcd", .version = 2},
            [](const gguf_file& file) { CHECK(file.version() == 2); });
  with_file({.keys = {gguf_key("general.alignment", 8u)},
             .tensors = {gguf_tensor("a", {1}, 0, 0), gguf_tensor("b", {1}, 0, 8)},
             .data = "aaaa....bbbb....",
             .alignment = 8},
            [](const gguf_file& file) { CHECK(static_cast<char>(file.find("b")->bytes.front()) == 'b'); });
  CHECK(tensor_verdict({gguf_tensor("a", {1}, 0, 0)}, 32) == "accepted");
  CHECK(verdict(gguf_bytes({})) == "accepted"); // a vocabulary alone has no tensors
}

TEST_CASE("what is no GGUF file is told by its first bytes") {
  CHECK(verdict("") == "no GGUF file: expected the magic \"GGUF\", found \"\"");
  CHECK(verdict("GGU") == "no GGUF file: expected the magic \"GGUF\", found \"GGU\"");
  CHECK(verdict("ggjt....") == "no GGUF file: expected the magic \"GGUF\", found \"ggjt\"");
  CHECK_THAT(verdict("version https://git-lfs.github.com/spec/v1\n"), ContainsSubstring("git lfs pull"));
  const std::string valid = gguf_bytes({});
  for (std::size_t size = 4; size < valid.size(); ++size)
    CHECK_THAT(verdict(valid.substr(0, size)), ContainsSubstring("found the end of the file after"));
}

TEST_CASE("unknown versions and the other byte order are refused") {
  for (const std::uint32_t version : {0u, 1u, 4u})
    CHECK(verdict(gguf_bytes({.version = version})) ==
          "version: expected 2 or 3, found " + std::to_string(version));
  CHECK_THAT(verdict(gguf_bytes({.version = 0x03000000u})),
             StartsWith("version: expected 2 or 3 in little-endian byte order, found 50331648\n"));
}

TEST_CASE("counts that the file has no room for are refused before anything is done about them") {
  const auto with_counts = [](std::uint64_t tensors, std::uint64_t keys) {
    return verdict("GGUF" + number_bytes(std::uint32_t{3}) + number_bytes(tensors) + number_bytes(keys));
  };
  CHECK(with_counts(huge, 0) ==
        "number of tensors: expected at most 0 in a file of this size, found 18446744073709551615");
  CHECK(with_counts(0, huge) ==
        "number of metadata keys: expected at most 0 in a file of this size, found 18446744073709551615");
  CHECK(with_counts(0, 1) == "number of metadata keys: expected at most 0 in a file of this size, found 1");
}

TEST_CASE("keys without a name, twice the same, and endless ones are refused") {
  CHECK(key_verdict(gguf_key("", 1u)) == "metadata entry 0: key: expected a name, found none");
  CHECK(verdict(gguf_bytes({.keys = {gguf_key("a", 1u), gguf_key("a", 2u)}})) ==
        "key \"a\": expected once, found twice");
  CHECK(key_verdict(number_bytes(huge) + std::string(20, 'k')) ==
        "metadata entry 0: key: expected a length of at most 65535, found 18446744073709551615");
  CHECK(key_verdict(number_bytes(std::uint64_t{60000}) + std::string(20, 'k')) ==
        "metadata entry 0: key: expected a length of at most the 20 bytes that are left, found 60000");
  CHECK(key_verdict(gguf_key(std::string(65535, 'k'), 1u)) == "accepted");
}

TEST_CASE("many keys are read in time that their number explains") {
  std::vector<std::string> keys;
  for (int i = 0; i < 200'000; ++i) keys.push_back(gguf_key("k" + std::to_string(i), 0, "x"));
  const auto begin = std::chrono::steady_clock::now();
  with_file({.keys = keys}, [](const gguf_file& file) { CHECK(file.metadata().values().size() == 200'000); });
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(20));
}

TEST_CASE("values that are damaged are refused with the key's name") {
  CHECK(key_verdict(gguf_key("a", 13, "xy")) ==
        "key \"a\": value type: expected a number from 0 to 12, found 13");
  CHECK(key_verdict(gguf_key("a", 4, "xy")) ==
        "key \"a\": uint32: expected 4 bytes, found the end of the file after 2");
  CHECK(key_verdict(gguf_key("a", 7, "\2")) == "key \"a\": boolean: expected 0 or 1, found 2");
  CHECK(key_verdict(gguf_key("a", 8, number_bytes(huge) + "xy")) ==
        "key \"a\": string: expected a length of at most the 2 bytes that are left, found "
        "18446744073709551615");
  CHECK(key_verdict(gguf_key("a", 9, gguf_array(77, 0, ""))) ==
        "key \"a\": array element type: expected a number from 0 to 12, found 77");
  CHECK(key_verdict(gguf_key("a", 9, gguf_array(10, huge / 8, "12345678"))) ==
        "key \"a\": array length: expected at most 1 elements of type uint64 in the 8 bytes that are left, "
        "found 2305843009213693951");
  CHECK_THAT(key_verdict(gguf_key("a", 9, gguf_array(8, huge, gguf_string("x")))),
             StartsWith("key \"a\": array length: expected at most 1 elements of type string"));
  CHECK(key_verdict(gguf_key("a", 9, gguf_array(7, 2, std::string("\0\3", 2)))) ==
        "key \"a\": boolean: expected 0 or 1, found 3");
  CHECK(key_verdict(gguf_key("a", 9, gguf_array(8, 2, gguf_string("x") + number_bytes(huge)))) ==
        "key \"a\": string: expected a length of at most the 0 bytes that are left, found "
        "18446744073709551615");
}

TEST_CASE("arrays in arrays are accepted up to a depth, and bounded") {
  std::string nested = gguf_array(0, 1, "x");
  for (int depth = 0; depth < 3; ++depth) nested = gguf_array(9, 1, nested);
  CHECK(key_verdict(gguf_key("a", 9, nested)) == "accepted");
  nested = gguf_array(9, 1, nested);
  CHECK(key_verdict(gguf_key("a", 9, nested)) == "key \"a\": arrays nested deeper than 4 levels");
  std::string bottomless;
  for (int i = 0; i < 100'000; ++i) bottomless += gguf_array(9, 1, "");
  CHECK(key_verdict(gguf_key("a", 9, bottomless)) == "key \"a\": arrays nested deeper than 4 levels");
}

TEST_CASE("a look-up of another type than the value's says what it found") {
  const gguf_parts parts{
      .keys = {gguf_key("text", "x"), gguf_key("count", 1u), gguf_key("minus", 5, number_bytes(-1)),
               gguf_key("texts", 9, gguf_strings({"x"})), gguf_key("bytes", 9, gguf_array(0, 1, "x"))}};
  with_file(parts, [](const gguf_file& file) {
    const auto& metadata = file.metadata();
    CHECK_THROWS_WITH(metadata.count("text"),
                      EndsWith("key \"text\": expected a whole number, found string"));
    CHECK_THROWS_WITH(metadata.count("minus"),
                      EndsWith("key \"minus\": expected a whole number from 0, found -1"));
    CHECK_THROWS_WITH(metadata.text("count"), EndsWith("key \"count\": expected a string, found uint32"));
    CHECK_THROWS_WITH(metadata.number("count"),
                      EndsWith("key \"count\": expected a number with a fraction, found uint32"));
    CHECK_THROWS_WITH(metadata.texts("text"), EndsWith("expected an array of strings, found string"));
    CHECK_THROWS_WITH(metadata.texts("bytes"),
                      EndsWith("expected an array of strings, found an array of uint8"));
    CHECK_THROWS_WITH(metadata.integers("texts"),
                      EndsWith("expected an array of whole numbers, found an array of string"));
  });
}

TEST_CASE("alignments that are none are refused") {
  for (const std::uint32_t alignment : {0u, 3u, 48u})
    CHECK(key_verdict(gguf_key("general.alignment", alignment)) ==
          "key \"general.alignment\": expected a power of two, found " + std::to_string(alignment));
  CHECK(key_verdict(gguf_key("general.alignment", 10, number_bytes(std::uint64_t{32}))) ==
        "key \"general.alignment\": expected uint32, found uint64");
  CHECK(key_verdict(gguf_key("general.alignment", 1u << 31)) == "accepted");
  CHECK_THAT(
      verdict(gguf_bytes({.keys = {gguf_key("general.alignment", 1u << 31)},
                          .tensors = {gguf_tensor("a", {1}, 0, 0)},
                          .data = "abcd"})),
      StartsWith("tensor \"a\": out of range: expected 4 bytes at offset 0, found a data section of 0"));
}

TEST_CASE("tensors with impossible names, shapes and types are refused") {
  CHECK(tensor_verdict({gguf_tensor("", {1}, 0, 0)}, 4) == "tensor 0: name: expected a name, found none");
  CHECK(tensor_verdict({gguf_tensor(std::string(65, 'n'), {1}, 0, 0)}, 4) ==
        "tensor 0: name: expected a length of at most 64, found 65");
  CHECK(tensor_verdict({gguf_tensor("a", {0}, 0, 0), gguf_tensor("a", {0}, 0, 0)}, 0) ==
        "tensor \"a\": expected once, found twice");
  CHECK(tensor_verdict({gguf_tensor("a", std::vector<std::uint64_t>(100, 1), 0, 0)}, 4) ==
        "tensor \"a\": number of dimensions: expected at most 4, found 100");
  CHECK(tensor_verdict({gguf_tensor("a", {huge - 1, 2}, 0, 0)}, 4) ==
        "tensor \"a\": shape: [2, 18446744073709551614] of F32 overflows 64 bits");
  CHECK(tensor_verdict({gguf_tensor("a", {huge}, 0, 0)}, 4) ==
        "tensor \"a\": shape: [18446744073709551615] of F32 overflows 64 bits");
  CHECK(tensor_verdict({gguf_tensor("a", {31}, 2, 0)}, 64) ==
        "tensor \"a\": shape: expected a multiple of 32 as last dimension of Q4_0, found [31]");
  for (const std::uint32_t type : {4u, 31u, 40u, 0xffffffffu})
    CHECK(tensor_verdict({gguf_tensor("a", {1}, type, 0)}, 4) ==
          "tensor \"a\": type: expected a tensor type of GGML, found number " + std::to_string(type));
}

TEST_CASE("tensors outside of the data, on each other, apart, or before trailing bytes are refused") {
  CHECK_THAT(
      tensor_verdict({gguf_tensor("a", {16}, 0, 0)}, 63),
      StartsWith("tensor \"a\": out of range: expected 64 bytes at offset 0, found a data section of 63"));
  CHECK(tensor_verdict({gguf_tensor("a", {16}, 0, 0), gguf_tensor("b", {16}, 0, 32)}, 128) ==
        "tensor \"b\": offset: overlap: expected 64, found 32");
  CHECK(tensor_verdict({gguf_tensor("a", {16}, 0, 0), gguf_tensor("b", {16}, 0, 96)}, 160) ==
        "tensor \"b\": offset: a hole before: expected 64, found 96");
  CHECK(tensor_verdict({gguf_tensor("a", {16}, 0, huge)}, 64) ==
        "tensor \"a\": offset: a hole before: expected 0, found 18446744073709551615");
  CHECK(tensor_verdict({gguf_tensor("a", {1}, 0, 0), gguf_tensor("b", {1}, 0, 4)}, 64) ==
        "tensor \"b\": offset: overlap: expected 32, found 4");
  CHECK(tensor_verdict({gguf_tensor("a", {1}, 0, 0)}, 33) ==
        "trailing bytes: expected a data section of 32 bytes, found 33");
}

TEST_CASE("every prefix of a whole file is refused") {
  const std::string valid = support::read_file(support::fixture("gguf/q4_0.gguf"));
  const support::temporary_folder folder;
  for (std::size_t size = 0; size < valid.size(); size += size < 200 ? 1 : 97) {
    CAPTURE(size);
    support::write_file(folder / "f", std::string_view(valid).substr(0, size));
    CHECK_THROWS_AS(gguf_file::open(folder / "f"), format_error);
  }
}

TEST_CASE("what is to be read as GGUF is told by name or by content") {
  const support::temporary_folder folder;
  support::write_file(folder / "f", "GGUF");
  support::write_file(folder / "g", "{}");
  std::filesystem::create_directory(folder / "h.gguf");
  CHECK(transept::is_gguf(folder / "f"));
  CHECK_FALSE(transept::is_gguf(folder / "g"));
  CHECK_FALSE(transept::is_gguf(folder / "h.gguf"));
  CHECK(transept::is_gguf(folder / "missing.gguf"));
  CHECK_FALSE(transept::is_gguf(folder / "missing"));
  CHECK_THROWS_AS(gguf_file::open(folder / "missing.gguf"), transept::file_error);
}
