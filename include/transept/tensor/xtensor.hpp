// The bridge to xtensor, and the only header that includes it: both its layouts of headers (flat up to 0.25,
// in folders from 0.26), and one mend that its older line needs under C++20.
//
// xtensor is the user's array, at the library's edges: logits, hidden states, attention maps and parameters
// come out as `array<Rank>`. Inside, the library works on spans and views of its own.
//
// Four habits that keep xtensor right (each was learned from a wrong or crashing program):
//   - fixed rank: `array<2>`, never `xt::xarray`;
//   - evaluate every reducer before using it: `const array<1> mean = xt::mean(x, {1});`. The textbook
//     `x - xt::mean(x, {1}, xt::keep_dims)` reads out of bounds;
//   - never `auto` for an expression: it keeps references to its operands and computes when read;
//   - no expression in a hot loop.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#if __has_include(<xtensor/containers/xtensor.hpp>)
#include <xtensor/containers/xadapt.hpp>
#include <xtensor/containers/xtensor.hpp>
#include <xtensor/core/xmath.hpp>
#include <xtensor/generators/xbuilder.hpp>
#include <xtensor/views/xview.hpp>
#else
#include <xtensor/xadapt.hpp>
#include <xtensor/xbuilder.hpp>
#include <xtensor/xmath.hpp>
#include <xtensor/xtensor.hpp>
#include <xtensor/xview.hpp>
#endif

#include <transept/core/error.hpp>

// Up to 0.25, xtensor lets some compilers take its run-time shape (an xt::svector<T, 4>) for a fixed one
// (std::array<T, 4>):
//   - xexpression_traits.hpp guards against it only `#if __cplusplus == 201703L`, so under C++20 xt::eval of
//     an expression of run-time rank fails to compile or throws bad_alloc;
//   - xutils.hpp guards against it only for g++, so with clang from version 19 xt::xarray does not compile.
// These say what is meant for xtensor's own shape type alone: full specialisations, which cannot be ambiguous
// beside xtensor's partial ones or another library's mend.
#if XTENSOR_VERSION_MAJOR == 0 && XTENSOR_VERSION_MINOR < 26
namespace xt {

template <>
struct detail::xtype_for_shape<dynamic_shape<std::size_t>> {
  template <class T, layout_type L>
  using type = xarray<T, L>;
};

#ifdef __clang__
template <>
struct rebind_container<std::ptrdiff_t, dynamic_shape<std::size_t>> {
  using type = dynamic_shape<std::ptrdiff_t>;
};
#endif

} // namespace xt
#endif

namespace transept::inline TRANSEPT_ABI {

/// A row-major array of `Rank` dimensions that owns its elements.
template <std::size_t Rank, class T = float>
using array = xt::xtensor<T, Rank, xt::layout_type::row_major>;

/// Extents, outermost first.
template <std::size_t Rank>
using array_shape = std::array<std::size_t, Rank>;

/// A read-only window of `Rank` dimensions on memory that someone else owns; usable wherever xtensor takes
/// an expression. It copies the pointer, not the elements: the memory must outlive it.
template <std::size_t Rank, class T = float>
using array_view = xt::xtensor_adaptor<xt::xbuffer_adaptor<const T*, xt::no_ownership, std::allocator<T>>,
                                       Rank, xt::layout_type::row_major>;

/// The number of elements in `shape`; 1 for rank 0. Throws argument_error where it does not fit size_t.
template <std::size_t Rank>
constexpr std::size_t element_count(const array_shape<Rank>& shape) {
  std::size_t count = 1;
  for (const std::size_t length : shape) {
    if (length != 0 && count > std::numeric_limits<std::size_t>::max() / length)
      throw argument_error("an array of this shape has more elements than memory can address: extent " +
                           std::to_string(length) + " after " + std::to_string(count) + " elements");
    count *= length;
  }
  return count;
}

/// An array of `shape` whose elements are not set.
template <std::size_t Rank, class T = float>
array<Rank, T> make_array(const array_shape<Rank>& shape) {
  (void)element_count(shape); // refuses what would overflow
  return array<Rank, T>(shape);
}

/// A copy of the row-major elements at `data`, which hold `element_count(shape)` values.
template <std::size_t Rank, class T>
array<Rank, T> make_array(const T* data, const array_shape<Rank>& shape) {
  array<Rank, T> result = make_array<Rank, T>(shape);
  std::copy_n(data, element_count(shape), result.data());
  return result;
}

/// A read-only window on the row-major elements at `data`, which hold `element_count(shape)` values.
template <std::size_t Rank, class T>
array_view<Rank, T> view_array(const T* data, const array_shape<Rank>& shape) {
  // Built by hand: xt::adapt of a named pointer keeps a reference to it, which would dangle here.
  xt::xbuffer_adaptor<const T*, xt::no_ownership, std::allocator<T>> buffer(data, element_count(shape));
  return array_view<Rank, T>(std::move(buffer), shape);
}

} // namespace transept::inline TRANSEPT_ABI
