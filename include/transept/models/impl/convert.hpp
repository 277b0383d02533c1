// How matrices change their element type and their layout (models/convert.hpp).
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include <transept/kernels/embedding.hpp>
#include <transept/kernels/panels.hpp>
#include <transept/kernels/quantize.hpp>
#include <transept/models/convert.hpp>

namespace transept::inline TRANSEPT_ABI::detail {

TRANSEPT_FUNCTION void copy_elements(const kernels::stored_matrix& from, matrix_use use, thread_pool& threads,
                                     element_type type, void* out) {
  parallel_for(threads, from.rows, 16, [&](std::size_t begin, std::size_t end, int) {
    std::vector<float> row(from.cols);
    for (std::size_t r = begin; r < end; ++r) {
      if (use == matrix_use::linear)
        kernels::copy_input_row(from, r, row.data());
      else
        kernels::copy_row(from, r, row.data());
      with_element_type(type, [&]<class T>(T) {
        T* const to = static_cast<T*>(out) + r * from.cols;
        for (std::size_t i = 0; i < from.cols; ++i) to[i] = narrow(row[i], T{});
      });
    }
  });
}

/// Rows begin, begin + 1, …, at most `most`, of a matrix that lies by rows and whose elements stand alone.
inline kernels::stored_matrix some_rows(kernels::stored_matrix from, std::size_t begin, std::size_t most) {
  from.data = static_cast<const std::byte*>(from.data) + begin * from.cols * size_of(from.type);
  from.rows = std::min(most, from.rows - begin);
  return from;
}

TRANSEPT_FUNCTION kernels::stored_matrix converted(const kernels::stored_matrix& from, matrix_use use,
                                                   element_type type, thread_pool& threads,
                                                   weight_owner& memory, const rows_listener& read) {
  if (from.type == type || (use == matrix_use::lookup && is_block_type(type))) return from;
  if (!is_block_type(type)) {
    std::byte* const data = allocate_weights<std::byte>(memory, from.rows * from.cols * size_of(type));
    const bool in_pieces = read && from.layout == matrix_layout::row_major;
    const std::size_t some = in_pieces ? 4096 : from.rows;
    for (std::size_t begin = 0; begin < from.rows; begin += some) {
      const kernels::stored_matrix piece = in_pieces ? some_rows(from, begin, some) : from;
      copy_elements(piece, use, threads, type, data + begin * from.cols * size_of(type));
      if (in_pieces) read(begin, begin + piece.rows);
    }
    return {data, type, from.rows, from.cols};
  }
  if (from.layout == matrix_layout::panels) { // by rows first
    weight_owner passing;
    float* const values = allocate_weights<float>(passing, from.rows * from.cols);
    copy_elements(from, use, threads, element_type::f32, values);
    return converted({values, element_type::f32, from.rows, from.cols}, use, type, threads, memory, {});
  }
  const bool outputs_are_rows = use == matrix_use::table;
  const std::size_t inputs = outputs_are_rows ? from.cols : from.rows;
  const std::size_t outputs = outputs_are_rows ? from.rows : from.cols;
  std::byte* const packed = allocate_weights<std::byte>(memory, kernels::panel_bytes(type, inputs, outputs));
  const bool in_pieces = outputs_are_rows && from.layout == matrix_layout::row_major;
  const std::size_t some = in_pieces ? 64 * kernels::panel_outputs : outputs;
  for (std::size_t begin = 0; begin < outputs; begin += some) {
    const kernels::stored_matrix piece = in_pieces ? some_rows(from, begin, some) : from;
    kernels::quantize_panels(threads, piece, outputs_are_rows, type,
                             packed + kernels::panel_bytes(type, inputs, begin));
    if (in_pieces && read) read(begin, begin + piece.rows);
  }
  return {packed, type, from.rows, from.cols, matrix_layout::panels};
}

TRANSEPT_FUNCTION kernels::stored_matrix packed(const kernels::stored_matrix& from, matrix_use use,
                                                thread_pool& threads, weight_owner& memory) {
  if (use != matrix_use::linear || from.layout == matrix_layout::panels) return from;
  std::byte* const data =
      allocate_weights<std::byte>(memory, kernels::panel_bytes(from.type, from.rows, from.cols));
  kernels::pack_float_panels(threads, from, data);
  return {data, from.type, from.rows, from.cols, matrix_layout::panels};
}

} // namespace transept::inline TRANSEPT_ABI::detail
