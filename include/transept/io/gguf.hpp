// Reading GGUF files, llama.cpp's format (versions 2 and 3, little-endian): a header, metadata, a table of
// tensors, and their bytes, each tensor at a multiple of the file's alignment.
//
// Everything that a file claims is checked against its real size before anybody uses it: after `gguf_file` is
// made, every tensor's bytes lie in the file and number exactly shape × type. The format names dimensions
// innermost first; here they are outermost first, as everywhere in the library.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <transept/core/display.hpp>
#include <transept/core/error.hpp>
#include <transept/io/gguf_types.hpp>
#include <transept/io/gguf_values.hpp>
#include <transept/io/mapped_file.hpp>
#include <transept/io/stored_tensor.hpp>

namespace transept::inline TRANSEPT_ABI {

static_assert(std::endian::native == std::endian::little, "transept needs a little-endian machine");

/// Whether a file of this name is GGUF: "m.gguf", "M.GGUF".
inline bool is_gguf_name(const std::filesystem::path& path) {
  constexpr std::string_view wanted = ".gguf";
  return std::ranges::equal(path.extension().string(), wanted, [](char found, char lower) {
    return found == lower || (lower != '.' && found == lower - 'a' + 'A');
  });
}

/// Whether `path` is to be read as GGUF: a file (no folder) that is called so or begins so.
inline bool is_gguf(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return false;
  if (is_gguf_name(path)) return true;
  if (!std::filesystem::is_regular_file(path, ignored)) return false;
  std::ifstream file(path, std::ios::binary);
  std::string magic(4, '\0');
  return file.read(magic.data(), 4) && magic == "GGUF";
}

/// A GGUF file, mapped. Copies share the mapping. What it does not check: that keys and tensors are those of
/// some model, and the values.
class gguf_file {
public:
  static constexpr std::uint64_t max_rank = 4;
  static constexpr std::uint64_t longest_name = 64;
  static constexpr std::uint64_t default_alignment = 32;

  /// Throws file_error where the file cannot be read, format_error where it is no valid GGUF.
  static gguf_file open(const std::filesystem::path& path) { return gguf_file(mapped_file(path)); }

  const gguf_metadata& metadata() const { return metadata_; }

  /// In the order of their bytes in the file. `dtype` is GGML's name of the type.
  const std::vector<stored_tensor>& tensors() const { return tensors_; }

  /// The tensor of this very name, or nullptr. The pointer lives as long as this object.
  const stored_tensor* find(std::string_view name) const {
    const auto place = index_.find(name);
    return place == index_.end() ? nullptr : &tensors_[place->second];
  }

  std::uint32_t version() const { return version_; }
  std::uint64_t alignment() const { return alignment_; }
  const std::filesystem::path& path() const { return file_.path(); }

  /// Keeps the bytes mapped: keep a copy wherever a view of a tensor or of a value is kept.
  const std::shared_ptr<const void>& owner() const { return file_.owner(); }

private:
  explicit gguf_file(mapped_file file) : file_(std::move(file)) {
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

  void read_magic(detail::gguf_cursor& cursor) {
    const std::string_view found = file_.text().substr(0, 4);
    if (found != "GGUF") {
      const bool is_pointer = file_.text().starts_with("version https://git-lfs");
      cursor.fail("no GGUF file: expected the magic \"GGUF\", found " + quoted(found) +
                  (is_pointer ? "\n  This is a Git LFS pointer, not the file itself: run `git lfs pull`, or "
                                "download the file again."
                              : ""));
    }
    cursor.take(4, "magic");
    version_ = cursor.number<std::uint32_t>("version");
    if (version_ != 0 && (version_ & 0xffffu) == 0)
      cursor.fail("version: expected 2 or 3 in little-endian byte order, found " + std::to_string(version_) +
                  "\n  The file was written for machines of the other byte order: convert the model again.");
    if (version_ != 2 && version_ != 3)
      cursor.fail("version: expected 2 or 3, found " + std::to_string(version_));
  }

  /// A count of things of which each has at least `least` bytes.
  static std::uint64_t read_count(detail::gguf_cursor& cursor, const std::string& what, std::uint64_t least) {
    const auto count = cursor.number<std::uint64_t>("number of " + what);
    if (count > cursor.left() / least)
      cursor.fail("number of " + what + ": expected at most " + std::to_string(cursor.left() / least) +
                  " in a file of this size, found " + std::to_string(count));
    return count;
  }

  void read_alignment(detail::gguf_cursor& cursor) {
    const gguf_value* const value = metadata_.find("general.alignment");
    if (value == nullptr) return;
    const std::string key = "key \"general.alignment\": expected ";
    if (value->type != gguf_type::uint32)
      cursor.fail(key + "uint32, found " + std::string(name_of(value->type)));
    alignment_ = *metadata_.count("general.alignment");
    if (!std::has_single_bit(alignment_))
      cursor.fail(key + "a power of two, found " + std::to_string(alignment_));
  }

  detail::placed_tensor read_tensor(detail::gguf_cursor& cursor, std::uint64_t number) const {
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
    return {{std::string(name), std::string(type->name), std::move(shape), {}, cursor.source()}, begin, size};
  }

  static std::uint64_t size_in_bytes(const detail::gguf_cursor& cursor, std::span<const std::uint64_t> shape,
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

  std::uint64_t aligned(std::uint64_t position) const {
    return (position + alignment_ - 1) / alignment_ * alignment_;
  }

  /// The tensors must fill the data section side by side, with no more between them than alignment needs.
  void place(detail::gguf_cursor& cursor, std::vector<detail::placed_tensor> placed) {
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
        cursor.fail(std::string("offset: ") + (begin < expected ? "overlap" : "a hole before") +
                    ": expected " + std::to_string(expected) + ", found " + std::to_string(begin));
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

  mapped_file file_;
  std::uint32_t version_ = 0;
  std::uint64_t alignment_ = default_alignment;
  gguf_metadata metadata_;
  std::vector<stored_tensor> tensors_;
  std::map<std::string, std::size_t, std::less<>> index_;
};

} // namespace transept::inline TRANSEPT_ABI
