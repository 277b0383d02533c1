// Writing GGUF files, version 3, little-endian: metadata, the table of tensors, and their bytes, piece by
// piece.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/io/atomic_file.hpp>
#include <transept/io/gguf_types.hpp>
#include <transept/io/gguf_values.hpp>
#include <transept/io/stored_tensor.hpp>

namespace transept::inline TRANSEPT_ABI {

/// The metadata of a file to be written: keys and values in the order in which they were added. Throws
/// argument_error for a key that is there already, is empty or longer than gguf_metadata::longest_key.
class gguf_keys {
public:
  void add(std::string_view key, std::uint32_t value);                  ///< a uint32
  void add(std::string_view key, float value);                          ///< a float32
  void add(std::string_view key, std::string_view value);               ///< a string
  void add(std::string_view key, std::span<const std::string> values);  ///< an array of strings
  void add(std::string_view key, std::span<const std::int32_t> values); ///< an array of int32
  void add(std::string_view key, std::span<const float> values);        ///< an array of float32

  /// A value as another file has it.
  void add(std::string_view key, const gguf_value& value);

  /// All keys of another list. Throws as add does.
  void append(const gguf_keys& other);

  bool contains(std::string_view key) const { return names_.contains(key); } ///< whether it was added
  std::size_t size() const { return names_.size(); }                         ///< how many keys

  /// As they stand in the file.
  std::string_view bytes() const { return bytes_; }

private:
  void begin(std::string_view key, gguf_type type);
  void begin_array(std::string_view key, gguf_type type, std::size_t count);

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
  /// Writes the header: the metadata, and the table of the tensors.
  gguf_stream(const std::filesystem::path& path, const gguf_keys& keys,
              std::span<const tensor_entry> tensors);

  /// The next piece of the tensor that is being written.
  void write(std::span<const std::byte> bytes);
  /// Puts the file in its place, once the last tensor is whole. Nothing may be written after it.
  void commit();

private:
  struct header;

  gguf_stream(const std::filesystem::path& path, header from);

  static std::size_t padding(std::uint64_t size);
  static header header_of(const gguf_keys& keys, std::span<const tensor_entry> tensors);

  std::vector<std::uint64_t> sizes_;
  std::size_t next_ = 0;      // the tensor that is being written
  std::uint64_t written_ = 0; // of it
  atomic_file file_;
};

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/io/impl/gguf_writer.hpp>
#endif
