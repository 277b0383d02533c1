// Reading GGUF files, llama.cpp's format (versions 2 and 3, little-endian): a header, metadata, a table of
// tensors, and their bytes, each tensor at a multiple of the file's alignment.
//
// Everything that a file claims is checked against its real size before anybody uses it: after `gguf_file` is
// made, every tensor's bytes lie in the file and number exactly shape × type. The format names dimensions
// innermost first; here they are outermost first, as everywhere in the library.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/io/gguf_types.hpp>
#include <transept/io/gguf_values.hpp>
#include <transept/io/mapped_file.hpp>
#include <transept/io/stored_tensor.hpp>
#include <transept/tensor/names.hpp>

namespace transept::inline TRANSEPT_ABI {

/// The architecture of files that other programs are not to read as one of theirs (gguf_config.hpp).
inline constexpr std::string_view own_architecture = "transept";

/// Whether a file of this name is GGUF: "m.gguf", "M.GGUF".
TRANSEPT_FUNCTION bool is_gguf_name(const std::filesystem::path& path);

/// Whether `path` is to be read as GGUF: a file (no folder) that is called so or begins so.
TRANSEPT_FUNCTION bool is_gguf(const std::filesystem::path& path);

/// A GGUF file, mapped. Copies share the mapping. What it does not check: that keys and tensors are those of
/// some model, and the values.
class gguf_file {
public:
  static constexpr std::uint64_t max_rank = 4;           ///< dimensions of a tensor, as in GGML
  static constexpr std::uint64_t longest_name = 64;      ///< bytes of a tensor's name that are read
  static constexpr std::uint64_t default_alignment = 32; ///< bytes; of files that say none

  /// Throws file_error where the file cannot be read, format_error where it is no valid GGUF.
  static gguf_file open(const std::filesystem::path& path) { return gguf_file(mapped_file(path)); }

  /// The same of a file's bytes, which must outlive this and what is loaded from it (or `owner` keeps them);
  /// `name` stands for the file's in messages.
  static gguf_file of(std::span<const std::byte> bytes, std::string name = "memory",
                      std::shared_ptr<const void> owner = {}) {
    return gguf_file(mapped_file(std::move(name), bytes, std::move(owner)));
  }

  const gguf_metadata& metadata() const { return metadata_; } ///< its keys and their values

  /// In the order of their bytes in the file. `dtype` is GGML's name of the type.
  const std::vector<stored_tensor>& tensors() const { return tensors_; }

  /// The tensor of this very name, or nullptr. The pointer lives as long as this object.
  const stored_tensor* find(std::string_view name) const;

  /// Whose names the tensors have: llama.cpp's, or with own_architecture ours.
  file_naming naming() const;

  std::uint32_t version() const { return version_; }                 ///< 2 or 3
  std::uint64_t alignment() const { return alignment_; }             ///< bytes, a power of two
  const std::filesystem::path& path() const { return file_.path(); } ///< as it was opened

  /// Keeps the bytes mapped: keep a copy wherever a view of a tensor or of a value is kept.
  const std::shared_ptr<const void>& owner() const { return file_.owner(); }

private:
  explicit gguf_file(mapped_file file);

  void read_magic(detail::gguf_cursor& cursor);

  /// A count of things of which each has at least `least` bytes.
  static std::uint64_t read_count(detail::gguf_cursor& cursor, const std::string& what, std::uint64_t least);

  void read_alignment(detail::gguf_cursor& cursor);
  detail::placed_tensor read_tensor(detail::gguf_cursor& cursor, std::uint64_t number) const;
  static std::uint64_t size_in_bytes(const detail::gguf_cursor& cursor, std::span<const std::uint64_t> shape,
                                     const ggml_type& type);

  std::uint64_t aligned(std::uint64_t position) const {
    return (position + alignment_ - 1) / alignment_ * alignment_;
  }

  /// The tensors must fill the data section side by side, with no more between them than alignment needs.
  void place(detail::gguf_cursor& cursor, std::vector<detail::placed_tensor> placed);

  mapped_file file_;
  std::uint32_t version_ = 0;
  std::uint64_t alignment_ = default_alignment;
  gguf_metadata metadata_;
  std::vector<stored_tensor> tensors_;
  std::map<std::string, std::size_t, std::less<>> index_;
};

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/io/impl/gguf.hpp>
#endif
