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
  std::string name;
  std::vector<std::uint64_t> shape;
  std::span<const std::byte> bytes;
  element_type type = element_type::f32;
  element_type stored_as = element_type::f32;
};

/// Converts elements of type `from` in `input` to type `to` in `output`, rounding to nearest, ties to even.
/// The spans hold equally many elements, need no alignment and must not overlap. Throws argument_error.
TRANSEPT_FUNCTION void convert_elements(std::span<const std::byte> input, element_type from,
                                        std::span<std::byte> output, element_type to);

/// A safetensors file in the making: the elements of `tensors`, in their order, are written piece by piece.
/// The file appears whole, by commit(), or not at all (see atomic_file). Throws argument_error for a name
/// given twice, and file_error where the file cannot be written.
class safetensors_stream {
public:
  safetensors_stream(const std::filesystem::path& path, std::span<const tensor_entry> tensors,
                     const std::map<std::string, std::string>& metadata = {{"format", "pt"}});

  void write(std::span<const std::byte> bytes) { file_.write(bytes); }
  void commit() { file_.commit(); }

private:
  safetensors_stream(const std::filesystem::path& path, const std::string& header);

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
