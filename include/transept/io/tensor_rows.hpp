// Rows of stored tensors as numbers, whatever type and layout they are stored in; and rows of numbers as
// bytes of any type.
#pragma once

#include <cstddef>

#include <transept/core/element_type.hpp>
#include <transept/io/stored_tensor.hpp>

namespace transept::inline TRANSEPT_ABI {

/// out [count] = elements that begin at `from`; of a block type, whole blocks.
TRANSEPT_FUNCTION void read_elements(const std::byte* from, element_type type, std::size_t count, float* out);

/// The nearest bytes of `type` to x [count], at `out`; of a block type, whole blocks.
TRANSEPT_FUNCTION void write_elements(const float* x, std::size_t count, element_type type, std::byte* out);

/// A stored matrix (a vector is one of one row), or its transpose, to be read by rows.
class tensor_rows {
public:
  /// `tensor` has two dimensions at most and a type that weights may have; its bytes must outlive this.
  tensor_rows(const stored_tensor& tensor, bool transposed);

  std::size_t rows() const { return transposed_ ? stored_cols_ : stored_rows_; } ///< to be read
  std::size_t cols() const { return transposed_ ? stored_rows_ : stored_cols_; } ///< numbers in a row

  /// out [count, cols] = rows [first, first + count). Of a transpose, `first` is a multiple of block_length.
  void read(std::size_t first, std::size_t count, float* out) const;

private:
  const std::byte* data_;
  element_type type_;
  bool transposed_;
  std::size_t stored_rows_, stored_cols_;
};

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/io/impl/tensor_rows.hpp>
#endif
