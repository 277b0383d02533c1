// Operands of the kernels: plain pointers and run-time sizes, so that kernels are compiled once for all
// models.
#pragma once

#include <cstddef>
#include <optional>

#include <transept/core/activation.hpp>
#include <transept/core/element_type.hpp>
#include <transept/tensor/weights.hpp>

namespace transept::inline TRANSEPT_ABI::kernels {

/// Activations [rows, cols], rows one after another.
struct rows_of_floats {
  const float* data;
  std::size_t rows, cols;
  const float* row(std::size_t r) const { return data + r * cols; }
};

/// A stored matrix called [rows, cols]; the data suits the element type's alignment (panels: 64 bytes).
struct stored_matrix {
  const void* data;
  element_type type;
  std::size_t rows, cols;
  matrix_layout layout = matrix_layout::row_major;
};

/// The same memory, called [cols, rows]. (Panels lie by outputs, whatever the matrix is called.)
constexpr stored_matrix transposed(stored_matrix w) {
  const matrix_layout layout = w.layout == matrix_layout::row_major    ? matrix_layout::transposed
                               : w.layout == matrix_layout::transposed ? matrix_layout::row_major
                                                                       : matrix_layout::panels;
  return {w.data, w.type, w.cols, w.rows, layout};
}

/// A matrix called [rows, cols]: rows `stride` apart, or, if `transposed`, columns.
template <class T>
struct strided_matrix {
  const T* data;
  std::size_t stride;
  bool transposed = false;

  const T* at(std::size_t row, std::size_t col) const {
    return transposed ? data + col * stride + row : data + row * stride + col;
  }
};
using float_matrix = strided_matrix<float>;

/// The same memory, called [cols, rows].
template <class T>
constexpr strided_matrix<T> transposed(strided_matrix<T> m) {
  return {m.data, m.stride, !m.transposed};
}

struct product_shape {
  std::size_t rows, inner, cols;
};

/// What happens to a sum before it is stored: y = activation(sum + bias + y_before), each part optional.
struct epilogue {
  const float* bias = nullptr;
  bool add_to_output = false; ///< the residual connection: y += …
  std::optional<activation_type> activation = std::nullopt;

  /// Whether sums are stored as they are.
  bool keeps_sums() const { return !bias && !add_to_output; }
};

} // namespace transept::inline TRANSEPT_ABI::kernels
