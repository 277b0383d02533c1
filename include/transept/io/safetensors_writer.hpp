// Writing safetensors files, and converting weights between element types on the way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <transept/core/element_type.hpp>
#include <transept/core/error.hpp>
#include <transept/io/atomic_file.hpp>
#include <transept/io/stored_tensor.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A tensor to write. `bytes` holds its elements, row-major, as `type`; the file gets them as `stored_as`.
struct outgoing_tensor {
  std::string name;                           ///< in the file; any but "__metadata__"
  std::vector<std::uint64_t> shape;           ///< outermost first
  std::span<const std::byte> bytes;           ///< need no alignment; not copied
  element_type type = element_type::f32;      ///< of `bytes`; no block type
  element_type stored_as = element_type::f32; ///< in the file; no block type
};

/// Converts elements of type `from` in `input` to type `to` in `output`, rounding to nearest, ties to even.
/// The spans hold equally many elements, need no alignment and must not overlap. Throws argument_error.
TRANSEPT_FUNCTION void convert_elements(std::span<const std::byte> input, element_type from,
                                        std::span<std::byte> output, element_type to);

/// A safetensors file in the making: the elements of `tensors`, in their order, are written piece by piece.
/// The file appears whole, by commit(), or not at all (see atomic_file). Throws argument_error for a name
/// given twice and for a block type, and file_error where the file cannot be written.
class safetensors_stream {
public:
  /// Writes the header; after it the elements begin at a multiple of 64 bytes. `metadata` is its
  /// `__metadata__`.
  safetensors_stream(const std::filesystem::path& path, std::span<const tensor_entry> tensors,
                     const std::map<std::string, std::string>& metadata = {{"format", "pt"}});

  /// The next piece, of any size. Throws argument_error for more bytes than the tensors have.
  void write(std::span<const std::byte> bytes);
  /// Puts the file in its place. Nothing may be written after it. Throws argument_error for fewer bytes than
  /// the tensors have.
  void commit();

private:
  struct header;
  static header header_of(std::span<const tensor_entry> tensors,
                          const std::map<std::string, std::string>& metadata);
  safetensors_stream(const std::filesystem::path& path, const header& from);

  std::uint64_t left_; // bytes
  atomic_file file_;
};

/// Writes `tensors`, in their order, to `path`. Equal input gives an equal file, byte for byte. The file
/// appears whole or not at all (see atomic_file). Nothing is copied but the elements that change type, a
/// piece at a time. Throws argument_error for a name given twice or bytes that are not shape × type, and
/// file_error where the file cannot be written.
TRANSEPT_FUNCTION void write_safetensors(const std::filesystem::path& path,
                                         std::span<const outgoing_tensor> tensors,
                                         const std::map<std::string, std::string>& metadata = {
                                             {"format", "pt"}});

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/io/impl/safetensors_writer.hpp>
#endif
