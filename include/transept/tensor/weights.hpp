// What a layer's parameters are made of: read-only views of static shape, whose elements may be
// stored in any element type and layout (run-time tags). The memory belongs to the model (see weight_owner).
//
// Layers are templates on a storage policy: `inference_weights`, or `gradient_weights`, with which the same
// aggregate is the layer's gradient.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <transept/core/element_type.hpp>
#include <transept/tensor/view.hpp>

namespace transept::inline TRANSEPT_ABI {

/// What a matrix is for.
enum class matrix_use : std::uint8_t {
  linear, ///< y = x · W, W [inputs, outputs]
  table,  ///< rows are looked up, and multiply as outputs: W [outputs, inputs]
  lookup  ///< rows are looked up only; never quantized in blocks
};

/// How a matrix that is called [rows, cols] lies in memory.
enum class matrix_layout : std::uint8_t {
  row_major,  ///< [rows, cols]
  transposed, ///< [cols, rows]: a linear layer's weights as [out, in], GGUF's way
  panels      ///< packed for the kernels (kernels/panels.hpp, float_panels.hpp); blocks have no other
};

/// A stored matrix [rows, cols] of run-time element type and layout. `data` may have any alignment that
/// suits the element type (panels: 64 bytes).
template <extent Rows, extent Cols, matrix_use Use = matrix_use::linear>
class weight_matrix {
public:
  static constexpr std::size_t rank = 2;                      ///< a matrix
  static constexpr matrix_use use = Use;                      ///< what it is for
  static constexpr extent static_rows = Rows;                 ///< a number, or `dyn`
  static constexpr extent static_cols = Cols;                 ///< a number, or `dyn`
  static constexpr bool never_there = Rows == 0 || Cols == 0; ///< in any layer of the type

  constexpr weight_matrix() = default;
  /// Of elements at `data`, which must outlive it; static extents must be told as they are.
  constexpr weight_matrix(const void* data, element_type type, extent rows, extent cols,
                          matrix_layout layout = matrix_layout::row_major)
      : data_(data), type_(type), layout_(layout), rows_(rows), cols_(cols) {}

  /// The same matrix, some of whose extents are better or less well known.
  template <extent OtherRows, extent OtherCols>
  requires(compatible(OtherRows, Rows) &&
           compatible(OtherCols,
                      Cols)) constexpr weight_matrix(weight_matrix<OtherRows, OtherCols, Use> other)
      : weight_matrix(other.data(), other.type(), other.rows(), other.cols(), other.layout()) {}

  /// Without data yet: what loading and initialising begin with.
  static constexpr weight_matrix shaped(extent rows, extent cols) {
    return {nullptr, element_type::f32, rows, cols};
  }

  constexpr const void* data() const { return data_; }       ///< null where there is no data yet
  constexpr element_type type() const { return type_; }      ///< of an element
  constexpr matrix_layout layout() const { return layout_; } ///< how it lies in memory
  constexpr extent rows() const { return rows_.value(); }    ///< as it is called, however it lies
  constexpr extent cols() const { return cols_.value(); }    ///< as it is called, however it lies
  constexpr extent size() const { return rows() * cols(); }  ///< elements
  constexpr std::array<extent, 2> shape() const { return {rows(), cols()}; } ///< [rows, cols]

private:
  const void* data_ = nullptr;
  element_type type_ = element_type::f32;
  matrix_layout layout_ = matrix_layout::row_major;
  [[no_unique_address]] extent_holder<Rows> rows_;
  [[no_unique_address]] extent_holder<Cols> cols_;
};

/// A stored vector [n] of f32: biases and norm weights are few, so they are always widened on loading.
template <extent N>
class weight_vector {
public:
  static constexpr std::size_t rank = 1;      ///< a vector
  static constexpr bool never_there = N == 0; ///< in any layer of the type

  constexpr weight_vector() = default;
  /// Of [n] at `data`, which must outlive it.
  constexpr weight_vector(const float* data, extent n) : data_(data), n_(n) {}
  static constexpr weight_vector shaped(extent n) { return {nullptr, n}; } ///< without data yet

  constexpr const float* data() const { return data_; }              ///< null where there is no data yet
  static constexpr element_type type() { return element_type::f32; } ///< of an element
  constexpr extent size() const { return n_.value(); }               ///< elements
  constexpr std::array<extent, 1> shape() const { return {size()}; } ///< [n]

private:
  const float* data_ = nullptr;
  [[no_unique_address]] extent_holder<N> n_;
};

/// The storage policy of inference.
struct inference_weights {
  /// Of a matrix.
  template <extent Rows, extent Cols, matrix_use Use>
  using matrix = weight_matrix<Rows, Cols, Use>;
  /// Of a vector.
  template <extent N>
  using vector = weight_vector<N>;
};

/// A matrix [rows, cols] of f32, by rows, that may be written: a gradient, or a moment of one.
template <extent Rows, extent Cols, matrix_use Use = matrix_use::linear>
class gradient_matrix {
public:
  static constexpr std::size_t rank = 2;                      ///< a matrix
  static constexpr matrix_use use = Use;                      ///< what it is for
  static constexpr extent static_rows = Rows;                 ///< a number, or `dyn`
  static constexpr extent static_cols = Cols;                 ///< a number, or `dyn`
  static constexpr bool never_there = Rows == 0 || Cols == 0; ///< in any layer of the type

  constexpr gradient_matrix() = default;
  /// Of [rows, cols] at `data`, which must outlive it; null: it is not computed.
  constexpr gradient_matrix(float* data, extent rows, extent cols) : data_(data), rows_(rows), cols_(cols) {}

  /// The same matrix, some of whose extents are better or less well known.
  template <extent OtherRows, extent OtherCols>
  requires(compatible(OtherRows, Rows) &&
           compatible(OtherCols,
                      Cols)) constexpr gradient_matrix(gradient_matrix<OtherRows, OtherCols, Use> other)
      : gradient_matrix(other.data(), other.rows(), other.cols()) {}

  /// Without memory yet.
  static constexpr gradient_matrix shaped(extent rows, extent cols) { return {nullptr, rows, cols}; }

  constexpr float* data() const { return data_; }           ///< null: the parameter is frozen
  constexpr extent rows() const { return rows_.value(); }   ///< of the matrix
  constexpr extent cols() const { return cols_.value(); }   ///< elements of a row
  constexpr extent size() const { return rows() * cols(); } ///< elements
  constexpr std::array<extent, 2> shape() const { return {rows(), cols()}; } ///< [rows, cols]

private:
  float* data_ = nullptr;
  [[no_unique_address]] extent_holder<Rows> rows_;
  [[no_unique_address]] extent_holder<Cols> cols_;
};

/// A vector [n] of the same kind.
template <extent N>
class gradient_vector {
public:
  static constexpr std::size_t rank = 1;      ///< a vector
  static constexpr bool never_there = N == 0; ///< in any layer of the type

  constexpr gradient_vector() = default;
  constexpr gradient_vector(float* data, extent n) : data_(data), n_(n) {}   ///< of [n] at `data`
  static constexpr gradient_vector shaped(extent n) { return {nullptr, n}; } ///< without memory yet

  constexpr float* data() const { return data_; }                    ///< null: the parameter is frozen
  constexpr extent size() const { return n_.value(); }               ///< elements
  constexpr std::array<extent, 1> shape() const { return {size()}; } ///< [n]

private:
  float* data_ = nullptr;
  [[no_unique_address]] extent_holder<N> n_;
};

/// The storage policy of a model's gradients: the same aggregate, of memory that backward passes add to.
/// Where a parameter is frozen, its gradient has no memory and is not computed.
struct gradient_weights {
  /// Of a matrix.
  template <extent Rows, extent Cols, matrix_use Use>
  using matrix = gradient_matrix<Rows, Cols, Use>;
  /// Of a vector.
  template <extent N>
  using vector = gradient_vector<N>;
};

/// Shared ownership of whatever memory a model's views point into: mapped files, converted copies,
/// randomly initialised buffers. Copying a model copies the handles; the weights are read-only.
class weight_owner {
public:
  /// Holds `memory` as long as it, or a copy of it, lives.
  void keep(std::shared_ptr<const void> memory) { memory_.push_back(std::move(memory)); }

private:
  std::vector<std::shared_ptr<const void>> memory_;
};

} // namespace transept::inline TRANSEPT_ABI
