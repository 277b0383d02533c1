// Reading safetensors files: eight bytes of header length (little-endian), a JSON header that names tensors
// and where their bytes are, then the bytes.
//
// Everything a header claims is checked against the file's real size before anybody uses it: after
// `safetensors_file` is made, every entry's bytes lie in the file and number exactly shape × dtype.
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
#include <transept/core/json_fwd.hpp>
#include <transept/io/mapped_file.hpp>
#include <transept/io/stored_tensor.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A safetensors file, mapped. Copies share the mapping. What it does not check: that the names are those
/// of some model (extra tensors are no error), and the values.
class safetensors_file {
public:
  static constexpr std::uint64_t max_header_bytes = 100'000'000; ///< a limit of the format
  static constexpr std::size_t max_rank = 32;                    ///< a limit of sense: dimensions of a tensor

  /// Throws file_error where the file cannot be read, format_error where it is no valid safetensors.
  static safetensors_file open(const std::filesystem::path& path) {
    return safetensors_file(mapped_file(path));
  }

  /// The same of a file's bytes, which must outlive this and what is loaded from it (or `owner` keeps them);
  /// `name` stands for the file's in messages.
  static safetensors_file of(std::span<const std::byte> bytes, std::string name = "memory",
                             std::shared_ptr<const void> owner = {}) {
    return safetensors_file(mapped_file(std::move(name), bytes, std::move(owner)));
  }

  /// In the order of their bytes in the file.
  const std::vector<stored_tensor>& tensors() const { return tensors_; }

  /// The tensor of this very name, or nullptr. The pointer lives as long as this object.
  const stored_tensor* find(std::string_view name) const;

  /// The header's `__metadata__`.
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

  const std::filesystem::path& path() const { return file_.path(); } ///< as it was opened

  /// Keeps the bytes mapped: keep a copy wherever a view of a tensor is kept.
  const std::shared_ptr<const void>& owner() const { return file_.owner(); }

private:
  explicit safetensors_file(mapped_file file);

  [[noreturn]] void fail(const std::string& what) const;
  [[noreturn]] void fail(const std::string& tensor, const std::string& what) const;

  std::string_view find_header() const;
  void read_metadata(const json& value);
  const json& member(const std::string& tensor, const json& value, const char* key) const;
  std::uint64_t unsigned_integer(const std::string& tensor, const char* key, const json& value) const;
  detail::placed_tensor read_tensor(const std::string& name, const json& value) const;
  void check_size(const std::string& name, const std::vector<std::uint64_t>& shape, const std::string& dtype,
                  std::uint64_t bits, std::uint64_t found) const;

  /// The tensors must fill the data section from its first byte to its last, side by side.
  void place(std::vector<detail::placed_tensor> placed, std::span<const std::byte> data);

  mapped_file file_;
  std::string source_;
  std::vector<stored_tensor> tensors_;
  std::map<std::string, std::size_t, std::less<>> index_;
  std::map<std::string, std::string> metadata_;
};

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/io/impl/safetensors.hpp>
#endif
