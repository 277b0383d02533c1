// What kernels do with their operands (kernels/operands.hpp) a vector at a time.
#pragma once

#include <cstddef>

#include <transept/kernels/operands.hpp>
#include <transept/kernels/vector/activation.hpp>
#include <transept/simd/batch.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

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

/// Stores a batch of sums as outputs n, n + 1, …, of which `count` exist, without the activation; y points at
/// output n.
inline void store_outputs(const epilogue& finish, simd::batch sum, float* y, std::size_t n,
                          std::size_t count = simd::width) {
  if (count == simd::width) {
    if (finish.bias) sum += simd::load(finish.bias + n);
    if (finish.add_to_output) sum += simd::load(y);
    simd::store(y, sum);
  } else {
    if (finish.bias) sum += simd::load_partial(finish.bias + n, count);
    if (finish.add_to_output) sum += simd::load_partial(y, count);
    simd::store_partial(y, sum, count);
  }
}

/// The activation over finished outputs.
inline void activate_outputs(const epilogue& finish, float* y, std::size_t count) {
  if (finish.activation) activate(*finish.activation, y, count);
}

/// The same of rows [rows, count], `stride` apart.
inline void activate_outputs(const epilogue& finish, float* y, std::size_t rows, std::size_t stride,
                             std::size_t count) {
  if (finish.activation) activate(*finish.activation, y, rows, stride, count);
}

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA
