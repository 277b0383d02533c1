// Reads the .npy files of tests/fixtures: little-endian, C order, float32, float64 or int64. Small on purpose
// and independent of the library's own reader, which is tested with it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace support {

/// Elements in C order (the last index runs fastest), and the extents they are arranged in.
template <class T>
struct npy_array {
  std::vector<std::size_t> shape;
  std::vector<T> values;
};

/// Reads the file at `path`; throws std::runtime_error where it is not a .npy file of T.
template <class T>
npy_array<T> read_npy(const std::filesystem::path& path) {
  static_assert(std::is_same_v<T, float> || std::is_same_v<T, double> || std::is_same_v<T, std::int64_t>);
  const std::string_view type = std::is_same_v<T, float> ? "<f4" : std::is_same_v<T, double> ? "<f8" : "<i8";
  const auto fail = [&](const std::string& what) { throw std::runtime_error(path.string() + ": " + what); };

  std::ifstream file(path, std::ios::binary);
  if (!file) fail("cannot be opened");
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  // "\x93NUMPY", version 1.0, header length as u16, header.
  if (bytes.size() < 10 || bytes.compare(0, 8, std::string_view("\x93NUMPY\x01\x00", 8)) != 0)
    fail("is not a .npy file of version 1.0");
  const auto byte = [&](std::size_t i) { return std::size_t{static_cast<unsigned char>(bytes[i])}; };
  const std::size_t start = 10 + byte(8) + 256 * byte(9);
  if (bytes.size() < start) fail("ends inside its header");
  const std::string header = bytes.substr(10, start - 10);
  if (header.find("'descr': '" + std::string(type) + "'") == std::string::npos)
    fail("has another element type than " + std::string(type) + ": " + header);
  if (header.find("'fortran_order': False") == std::string::npos) fail("is not in C order");

  npy_array<T> result;
  std::size_t count = 1;
  const std::size_t open = header.find("'shape': (");
  if (open == std::string::npos) fail("has no shape");
  for (std::size_t i = open + 10; i < header.size() && header[i] != ')';) {
    std::size_t digits = 0;
    const std::string rest = header.substr(i, header.find_first_of(",)", i) - i);
    if (rest.find_first_of("0123456789") != std::string::npos) {
      result.shape.push_back(std::stoull(rest, &digits));
      count *= result.shape.back();
    }
    i += rest.size();
    if (i < header.size() && header[i] == ',') ++i;
  }
  if (bytes.size() - start != count * sizeof(T)) fail("has another length than its shape asks for");
  result.values.resize(count);
  std::copy_n(bytes.data() + start, count * sizeof(T), reinterpret_cast<char*>(result.values.data()));
  return result;
}

} // namespace support
