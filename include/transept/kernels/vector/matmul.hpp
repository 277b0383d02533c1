// What kernels/matmul.hpp declares, computed by vectors.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>

#include <transept/core/element_type.hpp>
#include <transept/kernels/matmul.hpp>
#include <transept/kernels/vector/activation.hpp>
#include <transept/kernels/vector/matmul_few_rows.hpp>
#include <transept/kernels/vector/matmul_float_panels.hpp>
#include <transept/kernels/vector/matmul_many_rows.hpp>
#include <transept/kernels/vector/matmul_one_row.hpp>
#include <transept/kernels/vector/matmul_panels.hpp>
#include <transept/kernels/vector/operands.hpp>
#include <transept/kernels/vector/product.hpp>
#include <transept/kernels/vector/x86/matmul_tiles.hpp>
#include <transept/runtime/compute_context.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

/// Below this number of rows, streaming the weights beats packing them.
inline constexpr std::size_t many_rows = 48;

/// Scratch memory that matmul_transposed takes from the workspace, at most.
constexpr std::size_t matmul_transposed_scratch_bytes(std::size_t inner, std::size_t threads) {
  return workspace::room_for(threads * detail::dot_block * inner);
}

namespace detail {

/// w [inner, outputs] by rows.
inline void matmul_by_inputs(compute_context& context, rows_of_floats x, stored_matrix w, float* y,
                             const epilogue& finish) {
  with_element_type(w.type, [&]<class T>(T) {
    const T* weights = static_cast<const T*>(w.data);
#if TRANSEPT_HAS_BF16_DOT
    if (runs_in_tiles(w.type, x.rows, context.precision))
      return tiles::matmul(context, x, weights, w.cols, matrix_layout::row_major, y, finish);
#endif
    if (x.rows >= many_rows || context.precision == f32_precision::bf16)
      return multiply_stored<T>(context, {x.rows, x.cols, w.cols}, {x.data, x.cols}, {weights, w.cols}, y,
                                w.cols, finish, false);
    parallel_for(context.threads, w.cols, one_row_grain, [&](std::size_t begin, std::size_t end, int) {
      if (x.rows == 1)
        matmul_one_row(x.row(0), x.cols, weights, w.cols, begin, end, y, finish);
      else
        matmul_few_rows<many_rows>(x, weights, w.cols, begin, end, y, finish);
    });
  });
}

/// w [outputs, inner] by rows.
inline void matmul_by_outputs(compute_context& context, rows_of_floats x, stored_matrix w, float* y,
                              const epilogue& finish) {
  with_element_type(w.type, [&]<class T>(T) {
    const T* weights = static_cast<const T*>(w.data);
#if TRANSEPT_HAS_BF16_DOT
    if (runs_in_tiles(w.type, x.rows, context.precision))
      return tiles::matmul(context, x, weights, w.rows, matrix_layout::transposed, y, finish);
#endif
    if (x.rows >= many_rows) return matmul_transposed_many_rows(context, x, weights, w.rows, y, finish);
    parallel_for(context.threads, w.rows, one_row_grain, [&](std::size_t begin, std::size_t end, int) {
      if (x.rows == 1)
        matmul_transposed_one_row(x.row(0), x.cols, weights, begin, end, y, finish);
      else
        matmul_transposed_few_rows(x, weights, w.rows, begin, end, y, finish);
    });
  });
}

inline void matmul_by_panels(compute_context& context, rows_of_floats x, stored_matrix w, std::size_t outputs,
                             float* y, const epilogue& finish) {
  if (!is_block_type(w.type))
    return with_element_type(w.type, [&]<class T>(T) {
      const T* weights = static_cast<const T*>(w.data);
#if TRANSEPT_HAS_BF16_DOT
      if (runs_in_tiles(w.type, x.rows, context.precision))
        return tiles::matmul(context, x, weights, outputs, matrix_layout::panels, y, finish);
#endif
      matmul_float_panels(context, x, weights, outputs, y, finish);
    });
  with_group_type(w.type, [&]<class Group>(std::type_identity<Group>) {
    matmul_panels(context, x, static_cast<const Group*>(w.data), outputs, y, finish);
  });
}

} // namespace detail

TRANSEPT_FUNCTION void matmul(compute_context& context, rows_of_floats x, stored_matrix w, float* y,
                              epilogue finish) {
  switch (w.layout) {
  case matrix_layout::row_major:
    return detail::matmul_by_inputs(context, x, w, y, finish);
  case matrix_layout::transposed:
    return detail::matmul_by_outputs(context, x, transposed(w), y, finish);
  case matrix_layout::panels:
    return detail::matmul_by_panels(context, x, w, w.cols, y, finish);
  }
}

TRANSEPT_FUNCTION void matmul_transposed(compute_context& context, rows_of_floats x, stored_matrix w,
                                         float* y, epilogue finish) {
  matmul(context, x, transposed(w), y, finish);
}

TRANSEPT_FUNCTION std::size_t matmul_scratch_bytes(std::size_t rows, std::size_t inner, std::size_t added,
                                                   std::size_t outputs, std::size_t threads) {
  return std::max(
      {product_scratch_bytes(rows, added, threads), product_scratch_bytes(rows, outputs, threads, false),
       matmul_transposed_scratch_bytes(inner, threads), matmul_float_panels_scratch_bytes(rows, inner, added),
       matmul_panels_scratch_bytes(rows, inner, threads), matmul_tiles_scratch_bytes(rows, inner, threads)});
}

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA
