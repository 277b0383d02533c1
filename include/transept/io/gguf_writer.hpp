// Writing GGUF files, version 3, little-endian: metadata, the table of tensors, and their bytes, piece by
// piece.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <transept/core/blocks.hpp>
#include <transept/core/display.hpp>
#include <transept/core/error.hpp>
#include <transept/io/atomic_file.hpp>
#include <transept/io/gguf.hpp>
#include <transept/io/gguf_types.hpp>
#include <transept/io/gguf_values.hpp>
#include <transept/io/stored_tensor.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

template <class T>
void append_number(std::string& bytes, T value) {
  const std::size_t begin = bytes.size();
  bytes.resize(begin + sizeof value);
  std::memcpy(bytes.data() + begin, &value, sizeof value);
}

inline void append_string(std::string& bytes, std::string_view text) {
  append_number(bytes, std::uint64_t{text.size()});
  bytes += text;
}

} // namespace detail

/// The metadata of a file to be written: keys and values in the order in which they were added. Throws
/// argument_error for a key that is there already.
class gguf_keys {
public:
  void add(std::string_view key, std::uint32_t value) {
    begin(key, gguf_type::uint32);
    detail::append_number(bytes_, value);
  }

  void add(std::string_view key, float value) {
    begin(key, gguf_type::float32);
    detail::append_number(bytes_, value);
  }

  void add(std::string_view key, std::string_view value) {
    begin(key, gguf_type::string);
    detail::append_string(bytes_, value);
  }

  void add(std::string_view key, std::span<const std::string> values) {
    begin_array(key, gguf_type::string, values.size());
    for (const std::string& value : values) detail::append_string(bytes_, value);
  }

  void add(std::string_view key, std::span<const std::int32_t> values) {
    begin_array(key, gguf_type::int32, values.size());
    for (const std::int32_t value : values) detail::append_number(bytes_, value);
  }

  /// A value as another file has it.
  void add(std::string_view key, const gguf_value& value) {
    begin(key, value.type);
    bytes_ += value.bytes;
  }

  /// All keys of another list. Throws as add does.
  void append(const gguf_keys& other) {
    for (const std::string& name : other.names_)
      if (!names_.insert(name).second)
        throw argument_error("gguf_keys: key " + quoted(name) + ": expected once, found twice");
    bytes_ += other.bytes_;
  }

  bool contains(std::string_view key) const { return names_.contains(key); }
  std::size_t size() const { return names_.size(); }

  /// As they stand in the file.
  std::string_view bytes() const { return bytes_; }

private:
  void begin(std::string_view key, gguf_type type) {
    if (key.empty() || key.size() > gguf_metadata::longest_key)
      throw argument_error("gguf_keys: expected a key of 1 to " + std::to_string(gguf_metadata::longest_key) +
                           " bytes, found " + std::to_string(key.size()));
    if (!names_.emplace(key).second)
      throw argument_error("gguf_keys: key " + quoted(key) + ": expected once, found twice");
    detail::append_string(bytes_, key);
    detail::append_number(bytes_, static_cast<std::uint32_t>(type));
  }

  void begin_array(std::string_view key, gguf_type type, std::size_t count) {
    begin(key, gguf_type::array);
    detail::append_number(bytes_, static_cast<std::uint32_t>(type));
    detail::append_number(bytes_, std::uint64_t{count});
  }

  std::set<std::string, std::less<>> names_;
  std::string bytes_;
};

/// A GGUF file in the making: after its header, the bytes of `tensors` are written in their order, in pieces
/// of any size that do not cross from one tensor into the next. The file appears whole, by commit(), or not
/// at all (see atomic_file). Throws argument_error for a name that is too long or given twice, for a shape
/// whose last dimension is no whole number of blocks, and where the pieces are not as long as the tensors;
/// file_error where the file cannot be written.
class gguf_stream {
public:
  gguf_stream(const std::filesystem::path& path, const gguf_keys& keys, std::span<const tensor_entry> tensors)
      : gguf_stream(path, header_of(keys, tensors)) {}

  void write(std::span<const std::byte> bytes) {
    if (bytes.empty()) return;
    while (next_ < sizes_.size() && sizes_[next_] == 0) ++next_; // tensors of no bytes
    if (next_ == sizes_.size() || bytes.size() > sizes_[next_] - written_)
      throw argument_error("gguf_stream: more bytes than the tensors have");
    file_.write(bytes);
    written_ += bytes.size();
    if (written_ < sizes_[next_]) return;
    file_.write(std::string(padding(written_), '\0'));
    written_ = 0;
    ++next_;
  }

  void commit() {
    while (next_ < sizes_.size() && sizes_[next_] == 0) ++next_;
    if (next_ != sizes_.size()) throw argument_error("gguf_stream: fewer bytes than the tensors have");
    file_.commit();
  }

private:
  struct header {
    std::string bytes;
    std::vector<std::uint64_t> sizes;
  };

  gguf_stream(const std::filesystem::path& path, header from) : sizes_(std::move(from.sizes)), file_(path) {
    file_.write(from.bytes);
  }

  static std::size_t padding(std::uint64_t size) {
    constexpr std::uint64_t alignment = gguf_file::default_alignment;
    return static_cast<std::size_t>((alignment - size % alignment) % alignment);
  }

  static header header_of(const gguf_keys& keys, std::span<const tensor_entry> tensors) {
    header result;
    result.bytes = "GGUF";
    detail::append_number(result.bytes, std::uint32_t{3});
    detail::append_number(result.bytes, std::uint64_t{tensors.size()});
    detail::append_number(result.bytes, std::uint64_t{keys.size()});
    result.bytes += keys.bytes();
    std::set<std::string_view> names;
    std::uint64_t offset = 0;
    for (const tensor_entry& tensor : tensors) {
      const std::string where = "gguf_stream: tensor " + quoted(tensor.name) + ": ";
      const ggml_type& type = ggml_type_of(tensor.type);
      if (tensor.name.empty() || tensor.name.size() >= gguf_file::longest_name)
        throw argument_error(where + "expected a name of 1 to " +
                             std::to_string(gguf_file::longest_name - 1) + " bytes");
      if (!names.insert(tensor.name).second) throw argument_error(where + "a name that is taken");
      const auto count = element_count(tensor.shape);
      if (!count || tensor.shape.size() > gguf_file::max_rank)
        throw argument_error(where + "no such shape: " + shape_text(tensor.shape));
      if (!tensor.shape.empty() && tensor.shape.back() % type.block_elements != 0)
        throw argument_error(where + "expected a multiple of " + std::to_string(type.block_elements) +
                             " as last dimension of " + std::string(type.name) + ", found " +
                             shape_text(tensor.shape));
      detail::append_string(result.bytes, tensor.name);
      detail::append_number(result.bytes, static_cast<std::uint32_t>(tensor.shape.size()));
      for (std::size_t i = tensor.shape.size(); i-- > 0;)
        detail::append_number(result.bytes, tensor.shape[i]);
      detail::append_number(result.bytes, type.id);
      detail::append_number(result.bytes, offset);
      result.sizes.push_back(*count / type.block_elements * type.block_bytes);
      offset += result.sizes.back() + padding(result.sizes.back());
    }
    result.bytes.append(padding(result.bytes.size()), '\0');
    return result;
  }

  std::vector<std::uint64_t> sizes_;
  std::size_t next_ = 0;      // the tensor that is being written
  std::uint64_t written_ = 0; // of it
  atomic_file file_;
};

} // namespace transept::inline TRANSEPT_ABI
