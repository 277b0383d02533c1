// Rows of stored tensors as numbers, whatever type and layout they are stored in; and rows of numbers as
// bytes of any type.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include <transept/core/blocks.hpp>
#include <transept/core/element_type.hpp>
#include <transept/io/stored_blocks.hpp>
#include <transept/io/stored_tensor.hpp>

namespace transept::inline TRANSEPT_ABI {

/// out [count] = elements that begin at `from`; of a block type, whole blocks.
TRANSEPT_FUNCTION void read_elements(const std::byte* from, element_type type, std::size_t count, float* out);

/// The nearest bytes of `type` to x [count], at `out`; of a block type, whole blocks.
TRANSEPT_FUNCTION void write_elements(const float* x, std::size_t count, element_type type, std::byte* out);

/// How stored elements become numbers: those of an element type, or of blocks that are only read.
class element_reader {
public:
  /// Of a dtype that weights may have.
  explicit element_reader(std::string_view dtype)
      : type_(element_type_of(dtype)), blocks_(type_ ? nullptr : find_stored_blocks(dtype)) {}

  /// Whether weights may have this dtype at all.
  static bool reads(std::string_view dtype) {
    return element_type_of(dtype).has_value() || find_stored_blocks(dtype) != nullptr;
  }

  /// Elements that are only read together.
  std::size_t block() const {
    return blocks_ != nullptr ? blocks_->block_length : is_block_type(*type_) ? block_length : 1;
  }
  /// Bytes of `count` elements, whole blocks.
  std::size_t bytes(std::size_t count) const {
    return blocks_ != nullptr ? count / blocks_->block_length * blocks_->block_bytes
                              : bytes_of(*type_, count);
  }
  /// out [count] = elements that begin at `from`, whole blocks.
  void read(const std::byte* from, std::size_t count, float* out) const {
    if (blocks_ != nullptr) return read_blocks(*blocks_, from, count, out);
    read_elements(from, *type_, count, out);
  }

private:
  std::optional<element_type> type_;
  const stored_blocks* blocks_;
};

/// A stored matrix (a vector is one of one row), or its transpose, to be read by rows.
class tensor_rows {
public:
  /// `tensor` has two dimensions at most and a type that weights may have; its bytes must outlive this.
  tensor_rows(const stored_tensor& tensor, bool transposed);

  std::size_t rows() const { return transposed_ ? stored_cols_ : stored_rows_; } ///< to be read
  std::size_t cols() const { return transposed_ ? stored_rows_ : stored_cols_; } ///< numbers in a row

  /// out [count, cols] = rows [first, first + count).
  void read(std::size_t first, std::size_t count, float* out) const;

private:
  const std::byte* data_;
  element_reader elements_;
  bool transposed_;
  std::size_t stored_rows_, stored_cols_;
};

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/io/impl/tensor_rows.hpp>
#endif
