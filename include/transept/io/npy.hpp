// NumPy's .npy files of f32, little-endian, C order: how arrays leave for Python and come back.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <vector>

#include <transept/core/error.hpp>

namespace transept::inline TRANSEPT_ABI {

/// An array as an .npy file holds it: row-major.
struct npy_array {
  std::vector<std::size_t> shape; ///< outermost first; empty: one number
  std::vector<float> values;      ///< as many as the shape says
};

/// Writes `values`, row-major and shaped `shape`, to `path` as .npy version 1.0, whole or not at all. Throws
/// argument_error where the values are not as many as the shape says, file_error where it cannot be written.
TRANSEPT_FUNCTION void write_npy(const std::filesystem::path& path, std::span<const float> values,
                                 std::span<const std::size_t> shape);

/// Reads an .npy file of f32, little-endian, in C order. Throws file_error, or format_error for a file that
/// is damaged or holds something else.
TRANSEPT_FUNCTION npy_array read_npy(const std::filesystem::path& path);

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/io/impl/npy.hpp>
#endif
