// How a GGUF file is read and checked (io/gguf.hpp).
#pragma once

#include <algorithm>
#include <bit>
#include <fstream>
#include <limits>
#include <system_error>
#include <utility>

#include <transept/core/display.hpp>
#include <transept/io/gguf.hpp>
#include <transept/io/gguf_types.hpp>
#include <transept/io/impl/gguf_values.hpp>
#include <transept/io/impl/stored_tensor.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION bool is_gguf_name(const std::filesystem::path& path) {
  constexpr std::string_view wanted = ".gguf";
  return std::ranges::equal(path.extension().string(), wanted, [](char found, char lower) {
    return found == lower || (lower != '.' && found == lower - 'a' + 'A');
  });
}

TRANSEPT_FUNCTION bool is_gguf(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return false;
  if (is_gguf_name(path)) return true;
  if (!std::filesystem::is_regular_file(path, ignored)) return false;
  std::ifstream file(path, std::ios::binary);
  std::string magic(4, '\0');
  return file.read(magic.data(), 4) && magic == "GGUF";
}

TRANSEPT_FUNCTION file_naming gguf_file::naming() const {
  return metadata_.text("general.architecture") == own_architecture ? file_naming::own_gguf
                                                                    : file_naming::gguf;
}

TRANSEPT_FUNCTION const stored_tensor* gguf_file::find(std::string_view name) const {
  const auto place = index_.find(name);
  return place == index_.end() ? nullptr : &tensors_[place->second];
}

TRANSEPT_FUNCTION gguf_file::gguf_file(mapped_file file) : file_(std::move(file)) {
  detail::gguf_cursor cursor(file_.text(), file_.path().string());
  read_magic(cursor);
  const std::uint64_t tensor_count = read_count(cursor, "tensors", 24);
  const std::uint64_t key_count = read_count(cursor, "metadata keys", 14);
  metadata_ = gguf_metadata(cursor, key_count);
  read_alignment(cursor);
  std::vector<detail::placed_tensor> placed;
  for (std::uint64_t i = 0; i < tensor_count; ++i) placed.push_back(read_tensor(cursor, i));
  place(cursor, std::move(placed));
}

TRANSEPT_FUNCTION void gguf_file::read_magic(detail::gguf_cursor& cursor) {
  const std::string_view found = file_.text().substr(0, 4);
  if (found != "GGUF") {
    cursor.fail("no GGUF file: expected the magic \"GGUF\", found " + quoted(found) +
                download_hint(file_.text()));
  }
  cursor.take(4, "magic");
  version_ = cursor.number<std::uint32_t>("version");
  if (version_ != 0 && (version_ & 0xffffu) == 0)
    cursor.fail("version: expected 2 or 3 in little-endian byte order, found " + std::to_string(version_) +
                "\n  The file was written for machines of the other byte order: convert the model again.");
  if (version_ != 2 && version_ != 3)
    cursor.fail("version: expected 2 or 3, found " + std::to_string(version_));
}

TRANSEPT_FUNCTION std::uint64_t gguf_file::read_count(detail::gguf_cursor& cursor, const std::string& what,
                                                      std::uint64_t least) {
  const auto count = cursor.number<std::uint64_t>("number of " + what);
  if (count > cursor.left() / least)
    cursor.fail("number of " + what + ": expected at most " + std::to_string(cursor.left() / least) +
                " in a file of this size, found " + std::to_string(count));
  return count;
}

TRANSEPT_FUNCTION void gguf_file::read_alignment(detail::gguf_cursor& cursor) {
  const gguf_value* const value = metadata_.find("general.alignment");
  if (value == nullptr) return;
  const std::string key = "key \"general.alignment\": expected ";
  if (value->type != gguf_type::uint32)
    cursor.fail(key + "uint32, found " + std::string(name_of(value->type)));
  alignment_ = *metadata_.count("general.alignment");
  if (!std::has_single_bit(alignment_))
    cursor.fail(key + "a power of two, found " + std::to_string(alignment_));
}

TRANSEPT_FUNCTION detail::placed_tensor gguf_file::read_tensor(detail::gguf_cursor& cursor,
                                                               std::uint64_t number) const {
  cursor.set_where("tensor " + std::to_string(number));
  const std::string_view name = cursor.string("name", longest_name);
  if (name.empty()) cursor.fail("name: expected a name, found none");
  cursor.set_where("tensor " + quoted(name));
  const auto rank = cursor.number<std::uint32_t>("number of dimensions");
  if (rank > max_rank)
    cursor.fail("number of dimensions: expected at most " + std::to_string(max_rank) + ", found " +
                std::to_string(rank));
  std::vector<std::uint64_t> shape(rank);
  for (std::size_t i = rank; i-- > 0;) shape[i] = cursor.number<std::uint64_t>("dimensions");
  const auto id = cursor.number<std::uint32_t>("type");
  const ggml_type* const type = find_ggml_type(id);
  if (type == nullptr)
    cursor.fail("type: expected a tensor type of GGML, found number " + std::to_string(id));
  const auto begin = cursor.number<std::uint64_t>("offset");
  const std::uint64_t size = size_in_bytes(cursor, shape, *type);
  return {
      {std::string(name), std::string(type->name), std::move(shape), {}, cursor.source(), file_.is_mapped()},
      begin,
      size};
}

TRANSEPT_FUNCTION std::uint64_t gguf_file::size_in_bytes(const detail::gguf_cursor& cursor,
                                                         std::span<const std::uint64_t> shape,
                                                         const ggml_type& type) {
  const std::string what = shape_text(shape) + " of " + std::string(type.name);
  const std::uint64_t row = shape.empty() ? 1 : shape.back();
  if (row % type.block_elements != 0)
    cursor.fail("shape: expected a multiple of " + std::to_string(type.block_elements) +
                " as last dimension of " + std::string(type.name) + ", found " + shape_text(shape));
  const auto count = element_count(shape);
  if (!count || *count / type.block_elements > std::numeric_limits<std::uint64_t>::max() / type.block_bytes)
    cursor.fail("shape: " + what + " overflows 64 bits");
  return *count / type.block_elements * type.block_bytes;
}

TRANSEPT_FUNCTION void gguf_file::place(detail::gguf_cursor& cursor,
                                        std::vector<detail::placed_tensor> placed) {
  cursor.set_where({});
  detail::sort_by_place(placed);
  const std::uint64_t start = std::min<std::uint64_t>(aligned(cursor.position()), file_.size());
  const auto data = file_.bytes().subspan(static_cast<std::size_t>(start));
  std::uint64_t end = 0;
  tensors_.reserve(placed.size());
  for (auto& [tensor, begin, size] : placed) {
    cursor.set_where("tensor " + quoted(tensor.name));
    const std::uint64_t expected = aligned(end); // both at most the file's size and one alignment
    if (begin != expected)
      cursor.fail(std::string("offset: ") + (begin < expected ? "overlap" : "a hole before") + ": expected " +
                  std::to_string(expected) + ", found " + std::to_string(begin));
    if (begin > data.size() || size > data.size() - begin)
      cursor.fail("out of range: expected " + std::to_string(size) + " bytes at offset " +
                  std::to_string(begin) + ", found a data section of " + std::to_string(data.size()) +
                  "\n  The file may have been cut short: compare its size with the one published.");
    end = begin + size;
    tensor.bytes = data.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(size));
    if (!index_.emplace(tensor.name, tensors_.size()).second) cursor.fail("expected once, found twice");
    tensors_.push_back(std::move(tensor));
  }
  cursor.set_where({});
  if (data.size() > aligned(end))
    cursor.fail("trailing bytes: expected a data section of " + std::to_string(aligned(end)) +
                " bytes, found " + std::to_string(data.size()));
}

} // namespace transept::inline TRANSEPT_ABI
