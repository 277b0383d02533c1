// The arrays of the reference: xtensor, in double, so that a twin is as good as the truth when an f32 kernel
// is judged by it.
//
// Every twin is the formula as its paper prints it, written to be read. Reducers are evaluated into arrays
// before they are used, for the reasons that transept/tensor/xtensor.hpp gives.
#pragma once

#include <algorithm>
#include <cstddef>
#include <ranges>

#include <transept/tensor/xtensor.hpp>

namespace reference {

using vector = transept::array<1, double>;
using matrix = transept::array<2, double>;
using cube = transept::array<3, double>;

/// An array of `shape` with the elements of `values`, row-major, of any type with transept::to_float or a
/// conversion to double.
template <std::size_t Rank, std::ranges::input_range Values>
transept::array<Rank, double> array_of(const Values& values, const transept::array_shape<Rank>& shape) {
  auto result = transept::make_array<Rank, double>(shape);
  std::ranges::transform(values, result.data(), [](auto value) {
    if constexpr (requires { static_cast<double>(value); })
      return static_cast<double>(value);
    else
      return static_cast<double>(to_float(value));
  });
  return result;
}

} // namespace reference
