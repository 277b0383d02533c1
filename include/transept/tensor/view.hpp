// Views: a pointer and a shape whose extents are each a compile-time number or `dyn`.
//
// A view owns nothing and never assumes more alignment than its element type has. Rows lie one after
// another (row-major, no padding). Layers take views with static widths, so joining two layers whose widths
// differ does not compile.
#pragma once

#include <cassert>
#include <cstddef>
#include <span>
#include <type_traits>

#include <transept/core/types.hpp>

namespace transept::inline TRANSEPT_ABI {

/// One extent: no storage where it is static.
template <extent N>
struct extent_holder {
  static_assert(N >= 0, "a static extent must not be negative (use transept::dyn for a run-time extent)");
  constexpr extent_holder() = default;
  constexpr extent_holder([[maybe_unused]] extent n) { assert(n == N); } ///< n must be N
  static constexpr extent value() { return N; }                          ///< N, whatever holds it
  constexpr operator extent() const { return N; }                        ///< the same
};

/// One extent that is known at run time.
template <>
struct extent_holder<dyn> {
  constexpr extent_holder(extent n = 0) : n_(n) {} ///< holds n
  constexpr extent value() const { return n_; }    ///< what it holds
  constexpr operator extent() const { return n_; } ///< the same

private:
  extent n_;
};

/// A row-major matrix [rows, cols] that lies elsewhere.
template <class T, extent Rows, extent Cols>
class matrix_view {
public:
  using element = T;                          ///< const where the view is read-only
  static constexpr extent static_rows = Rows; ///< a number, or `dyn`
  static constexpr extent static_cols = Cols; ///< a number, or `dyn`

  constexpr matrix_view() = default;
  /// Of [rows, cols] at `data`, which must outlive the view; static extents must be told as they are.
  constexpr matrix_view(T* data, extent rows, extent cols) : data_(data), rows_(rows), cols_(cols) {}

  /// For a matrix whose width is static: only the rows are told.
  constexpr matrix_view(T* data, extent rows) requires(Cols != dyn) : data_(data), rows_(rows) {}

  /// From a view with the same or better known extents, or from mutable to const.
  template <class U, extent OtherRows, extent OtherCols>
  requires(std::is_convertible_v<U (*)[], T (*)[]>&& compatible(OtherRows, Rows) &&
           compatible(OtherCols, Cols)) constexpr matrix_view(matrix_view<U, OtherRows, OtherCols> other)
      : data_(other.data()), rows_(other.rows()), cols_(other.cols()) {}

  constexpr T* data() const { return data_; }               ///< null of a view of nothing
  constexpr extent rows() const { return rows_.value(); }   ///< of the matrix
  constexpr extent cols() const { return cols_.value(); }   ///< elements of a row
  constexpr extent size() const { return rows() * cols(); } ///< elements of all rows

  /// Row i as a span of `cols` elements.
  constexpr std::span<T> row(extent i) const {
    assert(i >= 0 && i < rows());
    return {data_ + i * cols(), static_cast<std::size_t>(cols())};
  }

  /// Rows [first, first + count).
  constexpr matrix_view<T, dyn, Cols> middle_rows(extent first, extent count) const {
    assert(first >= 0 && count >= 0 && first + count <= rows());
    return {data_ + first * cols(), count, cols()};
  }

private:
  T* data_ = nullptr;
  [[no_unique_address]] extent_holder<Rows> rows_;
  [[no_unique_address]] extent_holder<Cols> cols_;
};

/// Activations: T rows (positions), a width that is part of the type.
template <extent Width>
using activations = matrix_view<float, dyn, Width>;
/// The same, read-only.
template <extent Width>
using const_activations = matrix_view<const float, dyn, Width>;

} // namespace transept::inline TRANSEPT_ABI
