// Heads inside rows: queries, keys or values as a linear layer writes them, whose rows may be wider than
// their heads together (fused queries, keys and values).
#pragma once

#include <algorithm>
#include <cstddef>

#include <transept/core/version.hpp>

namespace transept::inline TRANSEPT_ABI::kernels {

/// Row r, head h begins at p + r · row_stride + h · head_width.
struct head_rows {
  std::size_t rows, row_stride, heads, head_width;

  std::size_t offset(std::size_t row, std::size_t head) const { return row * row_stride + head * head_width; }
};

namespace detail {

/// How many items of `floats` numbers a thread should have at least. A core turns 16384 numbers in 2 µs and
/// norms them in 7; another thread is awake after one or two, at best.
constexpr std::size_t worth_a_thread(std::size_t floats) {
  return std::max<std::size_t>(1, 16384 / std::max<std::size_t>(1, floats));
}

} // namespace detail

} // namespace transept::inline TRANSEPT_ABI::kernels
