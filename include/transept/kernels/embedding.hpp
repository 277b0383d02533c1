// Rows of a stored matrix, widened to f32.
#pragma once

#include <cassert>
#include <cstddef>

#include <transept/kernels/operands.hpp>
#include <transept/kernels/panels.hpp>

namespace transept::inline TRANSEPT_ABI::kernels {

/// y [cols] = row `index` of a table, of any layout.
inline void copy_row(stored_matrix w, std::size_t index, float* y) {
  if (w.layout == matrix_layout::panels) return read_panel_output(w.type, w.data, w.cols, index, y);
  const bool by_rows = w.layout == matrix_layout::row_major;
  with_element_type(w.type, [&]<class T>(T) {
    const T* from = static_cast<const T*>(w.data) + index * (by_rows ? w.cols : 1);
    const std::size_t stride = by_rows ? 1 : w.rows;
    for (std::size_t i = 0; i < w.cols; ++i) y[i] = to_float(from[i * stride]);
  });
}

/// y [cols] = row `index` of a linear layer's weights, of any layout: those of one input.
inline void copy_input_row(stored_matrix w, std::size_t index, float* y) {
  if (w.layout == matrix_layout::panels) return read_panel_input(w.type, w.data, w.rows, w.cols, index, y);
  copy_row(w, index, y);
}

/// y [cols] += row `index` of a table whose elements stand alone and lie by rows.
inline void add_row(stored_matrix w, std::size_t index, float* y) {
  assert(w.layout == matrix_layout::row_major);
  with_element_type(w.type, [&]<class T>(T) {
    const T* row = static_cast<const T*>(w.data) + index * w.cols;
    for (std::size_t i = 0; i < w.cols; ++i) y[i] += to_float(row[i]);
  });
}

} // namespace transept::inline TRANSEPT_ABI::kernels
