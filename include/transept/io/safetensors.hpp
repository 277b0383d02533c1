// Reading safetensors files: eight bytes of header length (little-endian), a JSON header that names tensors
// and where their bytes are, then the bytes.
//
// Everything a header claims is checked against the file's real size before anybody uses it: after
// `safetensors_file` is made, every entry's bytes lie in the file and number exactly shape × dtype.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <transept/core/display.hpp>
#include <transept/core/error.hpp>
#include <transept/core/json.hpp>
#include <transept/io/mapped_file.hpp>
#include <transept/io/stored_tensor.hpp>

namespace transept::inline TRANSEPT_ABI {

static_assert(std::endian::native == std::endian::little, "transept needs a little-endian machine");

/// A safetensors file, mapped. Copies share the mapping. What it does not check: that the names are those
/// of some model (extra tensors are no error), and the values.
class safetensors_file {
public:
  /// Limits of the format (the header) and of sense (the rank).
  static constexpr std::uint64_t max_header_bytes = 100'000'000;
  static constexpr std::size_t max_rank = 32;

  /// Throws file_error where the file cannot be read, format_error where it is no valid safetensors.
  static safetensors_file open(const std::filesystem::path& path) {
    return safetensors_file(mapped_file(path));
  }

  /// In the order of their bytes in the file.
  const std::vector<stored_tensor>& tensors() const { return tensors_; }

  /// The tensor of this very name, or nullptr. The pointer lives as long as this object.
  const stored_tensor* find(std::string_view name) const {
    const auto place = index_.find(name);
    return place == index_.end() ? nullptr : &tensors_[place->second];
  }

  /// The header's `__metadata__`.
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

  const std::filesystem::path& path() const { return file_.path(); }

  /// Keeps the bytes mapped: keep a copy wherever a view of a tensor is kept.
  const std::shared_ptr<const void>& owner() const { return file_.owner(); }

private:
  explicit safetensors_file(mapped_file file) : file_(std::move(file)), source_(file_.path().string()) {
    const std::string_view header = find_header();
    const json root = parse_json(header, source_ + ": header", 8);
    if (!root.is_object()) fail("header: expected a JSON object, found " + described(root));
    std::vector<detail::placed_tensor> placed;
    for (const auto& [name, value] : root.get_ref<const json::object_t&>()) {
      if (name == "__metadata__")
        read_metadata(value);
      else
        placed.push_back(read_tensor(name, value));
    }
    place(std::move(placed), file_.bytes().subspan(8 + header.size()));
  }

  [[noreturn]] void fail(const std::string& what) const { throw format_error(source_ + ": " + what); }

  [[noreturn]] void fail(const std::string& tensor, const std::string& what) const {
    fail("tensor " + quoted(tensor) + ": " + what);
  }

  std::string_view find_header() const {
    const std::string_view text = file_.text();
    const std::string hint =
        text.starts_with("version https://git-lfs")
            ? "\n  This is a Git LFS pointer, not the file itself: run `git lfs pull`, or "
              "download the file again."
            : "";
    if (text.size() < 8) {
      fail("no safetensors file: expected at least 8 bytes, found " + std::to_string(text.size()));
    }
    std::uint64_t length = 0;
    for (std::size_t i = 8; i-- > 0;) length = (length << 8) | static_cast<unsigned char>(text[i]);
    if (length > max_header_bytes) {
      fail("header length: expected at most " + std::to_string(max_header_bytes) + " bytes, found " +
           std::to_string(length) + hint);
    }
    if (length > text.size() - 8) {
      fail("header length: expected at most the " + std::to_string(text.size() - 8) +
           " bytes that the file holds after it, found " + std::to_string(length) + hint);
    }
    return text.substr(8, static_cast<std::size_t>(length));
  }

  void read_metadata(const json& value) {
    if (!value.is_object()) fail("__metadata__: expected an object of strings, found " + described(value));
    for (const auto& [key, text] : value.get_ref<const json::object_t&>()) {
      if (!text.is_string()) {
        fail("__metadata__: key " + quoted(key) + ": expected a string, found " + described(text));
      }
      metadata_.emplace(key, text.get_ref<const std::string&>());
    }
  }

  const json& member(const std::string& tensor, const json& value, const char* key) const {
    const auto place = value.find(key);
    if (place == value.end()) fail(tensor, "expected the key \"" + std::string(key) + "\", found none");
    return *place;
  }

  std::uint64_t unsigned_integer(const std::string& tensor, const char* key, const json& value) const {
    if (!value.is_number_unsigned()) {
      fail(tensor,
           std::string(key) + ": expected whole numbers from 0 to 2^64 - 1, found " + described(value));
    }
    return value.get<std::uint64_t>();
  }

  detail::placed_tensor read_tensor(const std::string& name, const json& value) const {
    if (!value.is_object()) fail(name, "expected an object, found " + described(value));

    const json& dtype = member(name, value, "dtype");
    const auto bits =
        dtype.is_string() ? detail::bits_of_stored(dtype.get_ref<const std::string&>()) : std::nullopt;
    if (!bits) fail(name, "dtype: expected a type of the safetensors format, found " + described(dtype));

    const json& extents = member(name, value, "shape");
    if (!extents.is_array()) fail(name, "shape: expected an array, found " + described(extents));
    if (extents.size() > max_rank) {
      fail(name, "shape: expected at most " + std::to_string(max_rank) + " dimensions, found " +
                     std::to_string(extents.size()));
    }
    std::vector<std::uint64_t> shape;
    for (const json& dimension : extents) shape.push_back(unsigned_integer(name, "shape", dimension));

    const json& offsets = member(name, value, "data_offsets");
    if (!offsets.is_array() || offsets.size() != 2) {
      fail(name, "data_offsets: expected [begin, end], found " + described(offsets));
    }
    const std::uint64_t begin = unsigned_integer(name, "data_offsets", offsets[0]);
    const std::uint64_t end = unsigned_integer(name, "data_offsets", offsets[1]);
    if (end < begin) {
      fail(name, "data_offsets: expected begin <= end, found [" + std::to_string(begin) + ", " +
                     std::to_string(end) + "]");
    }
    check_size(name, shape, dtype.get_ref<const std::string&>(), *bits, end - begin);
    return {{name, dtype.get_ref<const std::string&>(), std::move(shape), {}, source_}, begin, end - begin};
  }

  void check_size(const std::string& name, const std::vector<std::uint64_t>& shape, const std::string& dtype,
                  std::uint64_t bits, std::uint64_t found) const {
    const std::string what = shape_text(shape) + " of " + dtype;
    const auto count = element_count(shape);
    if (!count || *count > std::numeric_limits<std::uint64_t>::max() / bits) {
      fail(name, "shape: " + what + " overflows 64 bits");
    }
    if (*count * bits % 8 != 0) fail(name, "shape: " + what + " is no whole number of bytes");
    if (*count * bits / 8 != found) {
      fail(name, "data_offsets: expected the " + std::to_string(*count * bits / 8) + " bytes of " + what +
                     ", found " + std::to_string(found));
    }
  }

  /// The tensors must fill the data section from its first byte to its last, side by side.
  void place(std::vector<detail::placed_tensor> placed, std::span<const std::byte> data) {
    detail::sort_by_place(placed);
    std::uint64_t position = 0;
    tensors_.reserve(placed.size());
    for (auto& [tensor, begin, size] : placed) {
      const std::uint64_t end = begin + size;
      if (begin != position) {
        fail(tensor.name, std::string("data_offsets: ") + (begin < position ? "overlap" : "a hole before") +
                              ": expected begin at " + std::to_string(position) + ", found " +
                              std::to_string(begin));
      }
      if (end > data.size()) {
        fail(tensor.name,
             "data_offsets: out of range: expected end at most " + std::to_string(data.size()) +
                 ", the bytes of the data section, found " + std::to_string(end) +
                 "\n  The file may have been cut short: compare its size with the one published.");
      }
      position = end;
      tensor.bytes = data.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(size));
      index_.emplace(tensor.name, tensors_.size());
      tensors_.push_back(std::move(tensor));
    }
    if (position != data.size()) {
      fail("trailing bytes: expected a data section of " + std::to_string(position) + " bytes, found " +
           std::to_string(data.size()));
    }
  }

  mapped_file file_;
  std::string source_;
  std::vector<stored_tensor> tensors_;
  std::map<std::string, std::size_t, std::less<>> index_;
  std::map<std::string, std::string> metadata_;
};

} // namespace transept::inline TRANSEPT_ABI
