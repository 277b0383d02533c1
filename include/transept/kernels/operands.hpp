// Operands of the kernels: plain pointers and run-time sizes, so that kernels are compiled once for all
// models.
#pragma once

#include <cstddef>
#include <optional>

#include <transept/core/activation.hpp>
#include <transept/core/element_type.hpp>
#include <transept/kernels/activation.hpp>
#include <transept/simd/batch.hpp>
#include <transept/tensor/weights.hpp>

namespace transept::inline TRANSEPT_ABI::kernels {

/// Activations [rows, cols], rows one after another.
struct rows_of_floats {
  const float* data;
  std::size_t rows, cols;
  const float* row(std::size_t r) const { return data + r * cols; }
};

/// A vector that all rows share, or one number where there is none.
struct optional_vector {
  const float* data; ///< may be null
  float otherwise;

  /// Elements i, i + 1, …, of which `count` exist. (In a register, for a compiler that knows a factor of 1
  /// makes another sum of a product and rounds it once less.)
  simd::batch at(std::size_t i, std::size_t count = simd::width) const {
    return data ? simd::load_lanes(data + i, count) : simd::in_register(simd::broadcast(otherwise));
  }
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

  /// One batch of sums for outputs n, n + 1, …, of which `count` exist; y points at output n.
  void store(simd::batch sum, float* y, std::size_t n, std::size_t count = simd::width) const {
    if (count == simd::width) {
      if (bias) sum += simd::load(bias + n);
      if (add_to_output) sum += simd::load(y);
      simd::store(y, sum);
    } else {
      if (bias) sum += simd::load_partial(bias + n, count);
      if (add_to_output) sum += simd::load_partial(y, count);
      simd::store_partial(y, sum, count);
    }
  }

  /// The activation over finished outputs.
  void activate(float* y, std::size_t count) const {
    if (activation) kernels::activate(*activation, y, count);
  }
  /// The same of rows [rows, count], `stride` apart.
  void activate(float* y, std::size_t rows, std::size_t stride, std::size_t count) const {
    if (activation) kernels::activate(*activation, y, rows, stride, count);
  }
};

} // namespace transept::inline TRANSEPT_ABI::kernels
