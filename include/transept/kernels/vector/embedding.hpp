// What kernels/embedding.hpp declares of rows.
#pragma once

#include <cassert>
#include <cstddef>

#include <transept/kernels/embedding.hpp>
#include <transept/kernels/operands.hpp>
#include <transept/kernels/vector/panels.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

TRANSEPT_FUNCTION void copy_row(stored_matrix w, std::size_t index, float* y) {
  if (w.layout == matrix_layout::panels) return read_panel_output(w.type, w.data, w.cols, index, y);
  const bool by_rows = w.layout == matrix_layout::row_major;
  with_element_type(w.type, [&]<class T>(T) {
    const T* from = static_cast<const T*>(w.data) + index * (by_rows ? w.cols : 1);
    const std::size_t stride = by_rows ? 1 : w.rows;
    for (std::size_t i = 0; i < w.cols; ++i) y[i] = to_float(from[i * stride]);
  });
}

TRANSEPT_FUNCTION void copy_input_row(stored_matrix w, std::size_t index, float* y) {
  if (w.layout == matrix_layout::panels) return read_panel_input(w.type, w.data, w.rows, w.cols, index, y);
  copy_row(w, index, y);
}

TRANSEPT_FUNCTION void add_row(stored_matrix w, std::size_t index, float* y) {
  assert(w.layout == matrix_layout::row_major);
  with_element_type(w.type, [&]<class T>(T) {
    const T* row = static_cast<const T*>(w.data) + index * w.cols;
    for (std::size_t i = 0; i < w.cols; ++i) y[i] += to_float(row[i]);
  });
}

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA
