// What readers of any format do with a file's tensors (io/stored_tensor.hpp).
#pragma once

#include <algorithm>
#include <cstring>

#include <transept/io/mapped_file.hpp>
#include <transept/io/stored_tensor.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

struct placed_tensor {
  stored_tensor tensor;
  std::uint64_t begin, size; ///< in bytes, from where the file's data begins
};

/// In the order of their bytes.
TRANSEPT_FUNCTION void sort_by_place(std::vector<placed_tensor>& tensors) {
  std::sort(tensors.begin(), tensors.end(), [](const placed_tensor& a, const placed_tensor& b) {
    if (a.begin != b.begin) return a.begin < b.begin;
    return a.size != b.size ? a.size < b.size : a.tensor.name < b.tensor.name;
  });
}

} // namespace detail

TRANSEPT_FUNCTION bool have_same_elements(const stored_tensor& a, const stored_tensor& b) {
  if (a.dtype != b.dtype || a.shape != b.shape || a.bytes.size() != b.bytes.size()) return false;
  const bool equal = a.bytes.empty() || std::memcmp(a.bytes.data(), b.bytes.data(), a.bytes.size()) == 0;
  a.release();
  b.release();
  return equal;
}

TRANSEPT_FUNCTION std::string shape_text(std::span<const std::uint64_t> shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return text + "]";
}

} // namespace transept::inline TRANSEPT_ABI
