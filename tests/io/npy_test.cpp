// io/npy.hpp, against bytes that NumPy wrote and against the tests' own reader.
#include <support/catch.hpp>

#include <string>
#include <vector>

#include <support/npy.hpp>
#include <support/temporary_folder.hpp>

#include <transept/io/npy.hpp>

using Catch::Matchers::ContainsSubstring;
using transept::argument_error;
using transept::format_error;
using transept::npy_array;
using transept::read_npy;
using transept::write_npy;

namespace {

using shape = std::vector<std::size_t>;

/// A file of version 1.0 with this dictionary and these values' bytes.
std::string npy_bytes(const std::string& dictionary, std::size_t value_bytes, char version = 1) {
  std::string bytes = "\x93NUMPY";
  bytes += {version, '\0', static_cast<char>(dictionary.size()), '\0'};
  if (version > 1) bytes += {'\0', '\0'};
  return bytes + dictionary + std::string(value_bytes, '\0');
}

std::string verdict(std::string_view bytes) {
  const support::temporary_folder folder;
  support::write_file(folder / "f.npy", bytes);
  try {
    read_npy(folder / "f.npy");
  } catch (const format_error& error) {
    const std::string message = error.what();
    const std::string prefix = (folder / "f.npy").string() + ": ";
    CHECK(message.substr(0, prefix.size()) == prefix);
    return message.substr(prefix.size());
  }
  return "accepted";
}

std::string dictionary_verdict(const std::string& dictionary, std::size_t value_bytes = 4) {
  return verdict(npy_bytes(dictionary, value_bytes));
}

} // namespace

TEST_CASE("an array is written byte for byte as NumPy writes it") {
  const support::temporary_folder folder;
  // numpy.save of numpy.array([[1, 2, 3], [4, 5, 6]], '<f4')
  std::string expected = std::string("\x93NUMPY\x01\0v\0", 10);
  expected += "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }" + std::string(58, ' ') + "\n";
  const std::vector<float> values{1, 2, 3, 4, 5, 6};
  expected.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
  write_npy(folder / "f", values, shape{2, 3});
  CHECK(support::read_file(folder / "f") == expected);
}

TEST_CASE("arrays of any rank are read back") {
  const support::temporary_folder folder;
  for (const shape& extents : {shape{}, shape{5}, shape{2, 3}, shape{1, 2, 3, 4}, shape{0}, shape{3, 0, 2}}) {
    std::size_t count = 1;
    for (const std::size_t n : extents) count *= n;
    std::vector<float> values(count);
    for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<float>(i) - 1.25f;
    write_npy(folder / "f", values, extents);
    const npy_array own = read_npy(folder / "f");
    CHECK(own.shape == extents);
    CHECK(own.values == values);
    const auto independent = support::read_npy<float>(folder / "f");
    CHECK(independent.shape == extents);
    CHECK(independent.values == values);
    CHECK((support::read_file(folder / "f").size() - 4 * count) % 64 == 0);
  }
}

TEST_CASE("values that do not fill the shape are not written") {
  const support::temporary_folder folder;
  const std::vector<float> values(6);
  CHECK_THROWS_WITH(write_npy(folder / "f", values, shape{2, 4}),
                    "write_npy: expected the values of shape (2, 4), found 6");
  CHECK_THROWS_AS(write_npy(folder / "f", values, shape{~std::size_t{0}, 2}), argument_error);
  CHECK_FALSE(std::filesystem::exists(folder / "f"));
}

TEST_CASE("damaged or foreign .npy files are refused with words") {
  const std::string good = "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }";
  CHECK(dictionary_verdict(good) == "accepted");
  CHECK(verdict(npy_bytes(good, 4, 2)) == "accepted");
  CHECK(dictionary_verdict("{'shape': (), 'fortran_order': False, 'descr': '<f4'}  \n") == "accepted");
  CHECK_THAT(verdict(""), ContainsSubstring("no .npy file"));
  CHECK_THAT(verdict("\x93NUMPY\x01"), ContainsSubstring("no .npy file"));
  CHECK(verdict(npy_bytes(good, 4, 9)) == "version: expected 1.0, 2.0 or 3.0, found 9.0");
  CHECK_THAT(verdict(npy_bytes(good, 4).substr(0, 20)), ContainsSubstring("header length"));
  CHECK(dictionary_verdict(good, 3) == "expected 4 bytes of values, found 3");
  CHECK(dictionary_verdict(good, 8) == "expected 4 bytes of values, found 8");
  CHECK(dictionary_verdict("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }") ==
        "descr: expected '<f4', found \"<f8\"");
  CHECK(dictionary_verdict("{'descr': '<f4', 'fortran_order': True, 'shape': (1,), }") ==
        "fortran_order: expected False, found \"True\"");
  CHECK_THAT(dictionary_verdict("{'descr': '<f4', 'fortran_order': False}"),
             ContainsSubstring("expected descr"));
  CHECK_THAT(dictionary_verdict("{'descr': '<f4', 'descr': '<f4'}"), ContainsSubstring("repeated key"));
  CHECK_THAT(dictionary_verdict("{'x': '<f4'}"), ContainsSubstring("unknown or repeated key \"x\""));
  CHECK_THAT(dictionary_verdict(good + "x"), ContainsSubstring("nothing after"));
  CHECK_THAT(dictionary_verdict("{'descr': '<f4"), ContainsSubstring("without its end"));
  for (const char* tuple : {"(-1,)", "(1", "(1.5,)", "1", "(,)", "(1 2)"}) {
    CAPTURE(tuple);
    CHECK(dictionary_verdict("{'descr': '<f4', 'fortran_order': False, 'shape': " + std::string(tuple) +
                             "}") != "accepted");
  }
  CHECK_THAT(dictionary_verdict("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}"),
             ContainsSubstring("overflows"));
  CHECK_THAT(
      dictionary_verdict("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}", 0),
      ContainsSubstring("overflows"));
  CHECK_THAT(
      dictionary_verdict("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904,)}", 0),
      ContainsSubstring("overflows"));
}
