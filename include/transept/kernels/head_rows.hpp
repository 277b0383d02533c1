// Heads inside rows: queries, keys or values as a linear layer writes them, whose rows may be wider than
// their heads together (fused queries, keys and values).
#pragma once

#include <cstddef>

#include <transept/core/version.hpp>

namespace transept::inline TRANSEPT_ABI::kernels {

/// Row r, head h begins at p + r · row_stride + h · head_width.
struct head_rows {
  std::size_t rows, row_stride, heads, head_width;

  std::size_t offset(std::size_t row, std::size_t head) const { return row * row_stride + head * head_width; }
};

} // namespace transept::inline TRANSEPT_ABI::kernels
