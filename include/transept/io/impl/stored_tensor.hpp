// What readers of any format do with a file's tensors (io/stored_tensor.hpp).
#pragma once

#include <algorithm>

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

TRANSEPT_FUNCTION std::string shape_text(std::span<const std::uint64_t> shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return text + "]";
}

} // namespace transept::inline TRANSEPT_ABI
