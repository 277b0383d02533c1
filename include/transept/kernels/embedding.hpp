// Rows of a stored matrix, widened to f32.
#pragma once

#include <cstddef>

#include <transept/kernels/operands.hpp>

namespace transept::inline TRANSEPT_ABI::kernels {

/// y [cols] = row `index` of w.
inline void copy_row(stored_matrix w, std::size_t index, float* y) {
  with_element_type(w.type, [&]<class T>(T) {
    const T* row = static_cast<const T*>(w.data) + index * w.cols;
    for (std::size_t i = 0; i < w.cols; ++i) y[i] = to_float(row[i]);
  });
}

/// y [cols] += row `index` of w.
inline void add_row(stored_matrix w, std::size_t index, float* y) {
  with_element_type(w.type, [&]<class T>(T) {
    const T* row = static_cast<const T*>(w.data) + index * w.cols;
    for (std::size_t i = 0; i < w.cols; ++i) y[i] += to_float(row[i]);
  });
}

} // namespace transept::inline TRANSEPT_ABI::kernels
