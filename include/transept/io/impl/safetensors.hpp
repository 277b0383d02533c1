// How a safetensors file is read and checked (io/safetensors.hpp).
#pragma once

#include <limits>
#include <optional>
#include <utility>

#include <transept/core/display.hpp>
#include <transept/core/error.hpp>
#include <transept/core/json.hpp>
#include <transept/io/impl/stored_tensor.hpp>
#include <transept/io/safetensors.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION const stored_tensor* safetensors_file::find(std::string_view name) const {
  const auto place = index_.find(name);
  return place == index_.end() ? nullptr : &tensors_[place->second];
}

TRANSEPT_FUNCTION safetensors_file::safetensors_file(mapped_file file)
    : file_(std::move(file)), source_(file_.path().string()) {
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

TRANSEPT_FUNCTION void safetensors_file::fail(const std::string& what) const {
  throw format_error(source_ + ": " + what);
}

TRANSEPT_FUNCTION void safetensors_file::fail(const std::string& tensor, const std::string& what) const {
  fail("tensor " + quoted(tensor) + ": " + what);
}

TRANSEPT_FUNCTION std::string_view safetensors_file::find_header() const {
  const std::string_view text = file_.text();
  const std::string hint = download_hint(text);
  if (text.size() < 8) {
    fail("no safetensors file: expected at least 8 bytes, found " + std::to_string(text.size()) + hint);
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

TRANSEPT_FUNCTION void safetensors_file::read_metadata(const json& value) {
  if (!value.is_object()) fail("__metadata__: expected an object of strings, found " + described(value));
  for (const auto& [key, text] : value.get_ref<const json::object_t&>()) {
    if (!text.is_string()) {
      fail("__metadata__: key " + quoted(key) + ": expected a string, found " + described(text));
    }
    metadata_.emplace(key, text.get_ref<const std::string&>());
  }
}

TRANSEPT_FUNCTION const json& safetensors_file::member(const std::string& tensor, const json& value,
                                                       const char* key) const {
  const auto place = value.find(key);
  if (place == value.end()) fail(tensor, "expected the key \"" + std::string(key) + "\", found none");
  return *place;
}

TRANSEPT_FUNCTION std::uint64_t safetensors_file::unsigned_integer(const std::string& tensor, const char* key,
                                                                   const json& value) const {
  if (!value.is_number_unsigned()) {
    fail(tensor, std::string(key) + ": expected whole numbers from 0 to 2^64 - 1, found " + described(value));
  }
  return value.get<std::uint64_t>();
}

TRANSEPT_FUNCTION detail::placed_tensor safetensors_file::read_tensor(const std::string& name,
                                                                      const json& value) const {
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
  return {{name, dtype.get_ref<const std::string&>(), std::move(shape), {}, source_, file_.is_mapped()},
          begin,
          end - begin};
}

TRANSEPT_FUNCTION void safetensors_file::check_size(const std::string& name,
                                                    const std::vector<std::uint64_t>& shape,
                                                    const std::string& dtype, std::uint64_t bits,
                                                    std::uint64_t found) const {
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

TRANSEPT_FUNCTION void safetensors_file::place(std::vector<detail::placed_tensor> placed,
                                               std::span<const std::byte> data) {
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
      fail(tensor.name, "data_offsets: out of range: expected end at most " + std::to_string(data.size()) +
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

} // namespace transept::inline TRANSEPT_ABI
