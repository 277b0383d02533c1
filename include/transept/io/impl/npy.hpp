// How .npy files are written and read (io/npy.hpp).
#pragma once

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include <transept/core/display.hpp>
#include <transept/core/error.hpp>
#include <transept/io/atomic_file.hpp>
#include <transept/io/mapped_file.hpp>
#include <transept/io/npy.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION void write_npy(const std::filesystem::path& path, std::span<const float> values,
                                 std::span<const std::size_t> shape) {
  std::string tuple = "(";
  std::size_t count = 1;
  bool overflows = false;
  for (const std::size_t dimension : shape) {
    overflows = overflows || (dimension != 0 && count > std::numeric_limits<std::size_t>::max() / dimension);
    count *= dimension;
    tuple += (tuple.size() == 1 ? "" : ", ") + std::to_string(dimension);
  }
  if (shape.size() == 1) tuple += ",";
  tuple += ")";
  if (overflows || count != values.size() || shape.size() > 32) {
    throw argument_error("write_npy: expected the values of shape " + tuple + ", found " +
                         std::to_string(values.size()));
  }
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': " + tuple + ", }";
  header.resize((10 + header.size() + 1 + 63) / 64 * 64 - 10 - 1, ' ');
  header += '\n';
  std::string start = "\x93NUMPY\x01";
  start += '\0';
  start += static_cast<char>(static_cast<unsigned char>(header.size() & 0xffu));
  start += static_cast<char>(static_cast<unsigned char>(header.size() >> 8));

  atomic_file file(path);
  file.write(start + header);
  file.write(std::as_bytes(values));
  file.commit();
}

namespace detail {

/// Reads the Python dictionary of an .npy header: exactly the keys descr, fortran_order and shape.
class npy_header {
public:
  npy_header(std::string_view text, std::string_view source) : text_(text), source_(source) {
    bool has_descr = false;
    bool has_order = false;
    bool has_shape = false;
    expect('{');
    while (!accept('}')) {
      const std::string_view key = string();
      expect(':');
      if (key == "descr" && !has_descr) {
        has_descr = true;
        if (const auto type = string(); type != "<f4") fail("descr: expected '<f4', found " + quoted(type));
      } else if (key == "fortran_order" && !has_order) {
        has_order = true;
        if (const auto order = word(); order != "False") {
          fail("fortran_order: expected False, found " + quoted(order));
        }
      } else if (key == "shape" && !has_shape) {
        has_shape = true;
        tuple();
      } else {
        fail("header: unknown or repeated key " + quoted(key));
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_space();
    if (!text_.empty()) fail("header: expected nothing after the dictionary, found " + quoted(text_));
    if (!has_descr || !has_order || !has_shape) fail("header: expected descr, fortran_order and shape");
  }

  std::vector<std::size_t> shape;

  [[noreturn]] void fail(const std::string& what) const {
    throw format_error(std::string(source_) + ": " + what);
  }

private:
  void skip_space() { text_.remove_prefix(std::min(text_.find_first_not_of(" \n"), text_.size())); }

  bool accept(char c) {
    skip_space();
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }

  void expect(char c) {
    if (!accept(c)) fail(std::string("header: expected '") + c + "', found " + quoted(text_.substr(0, 16)));
  }

  std::string_view string() {
    expect('\'');
    const std::size_t end = text_.find('\'');
    if (end == text_.npos) fail("header: a string without its end");
    const std::string_view result = text_.substr(0, end);
    text_.remove_prefix(end + 1);
    return result;
  }

  std::string_view word() {
    skip_space();
    const std::string_view result = text_.substr(0, text_.find_first_of(",} \n"));
    text_.remove_prefix(result.size());
    return result;
  }

  void tuple() {
    expect('(');
    while (!accept(')')) {
      std::size_t value = 0;
      std::size_t digits = 0;
      skip_space();
      for (; digits < text_.size() && text_[digits] >= '0' && text_[digits] <= '9'; ++digits) {
        const auto digit = static_cast<std::size_t>(text_[digits] - '0');
        if (value > (std::numeric_limits<std::size_t>::max() - digit) / 10) fail("shape: a number overflows");
        value = value * 10 + digit;
      }
      if (digits == 0) fail("shape: expected whole numbers, found " + quoted(text_.substr(0, 16)));
      text_.remove_prefix(digits);
      shape.push_back(value);
      if (shape.size() > 32) fail("shape: expected at most 32 dimensions, found more");
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
  }

  std::string_view text_;
  std::string_view source_;
};

} // namespace detail

TRANSEPT_FUNCTION npy_array read_npy(const std::filesystem::path& path) {
  const mapped_file file(path);
  const std::string source = path.string();
  const std::string_view text = file.text();
  const auto fail = [&](const std::string& what) { throw format_error(source + ": " + what); };
  const auto byte = [&](std::size_t i) { return std::size_t{static_cast<unsigned char>(text[i])}; };

  if (!text.starts_with("\x93NUMPY") || text.size() < 10)
    fail("no .npy file: expected it to begin with \\x93NUMPY");
  const std::size_t version = byte(6);
  if (version < 1 || version > 3 || byte(7) != 0) {
    fail("version: expected 1.0, 2.0 or 3.0, found " + std::to_string(version) + "." +
         std::to_string(byte(7)));
  }
  const std::size_t start = version == 1 ? 10 : 12;
  std::size_t length = byte(8) | byte(9) << 8;
  if (version > 1 && text.size() >= 12) length |= byte(10) << 16 | byte(11) << 24;
  if (text.size() < start || length > text.size() - start) {
    fail("header length: expected at most the bytes that the file holds, found " + std::to_string(length));
  }
  detail::npy_header header(text.substr(start, length), source);

  std::size_t count = 1;
  bool overflows = false;
  for (const std::size_t dimension : header.shape) {
    overflows = overflows || (dimension != 0 && count > std::numeric_limits<std::size_t>::max() / dimension);
    count *= dimension;
  }
  const std::size_t found = text.size() - start - length;
  if (overflows || count > std::numeric_limits<std::size_t>::max() / sizeof(float)) fail("shape: overflows");
  if (count * sizeof(float) != found) {
    fail("expected " + std::to_string(count * sizeof(float)) + " bytes of values, found " +
         std::to_string(found));
  }
  npy_array array{std::move(header.shape), std::vector<float>(count)};
  if (count != 0) std::memcpy(array.values.data(), text.data() + start + length, found);
  return array;
}

} // namespace transept::inline TRANSEPT_ABI
