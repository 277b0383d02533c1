// Matrix product of activations with stored weights, the two layouts GPT-2 comes in:
//
//   matmul             y[r, n] = Σₖ x[r, k] · w[k, n]      w [inner, outputs], Conv1D as Hugging Face stores
//   matmul_transposed  y[r, n] = Σₖ x[r, k] · w[n, k]      w [outputs, inner], the output embedding
//
// then, in one pass over the result: + bias[n], + residual y[r, n], activation.
//
// Weights may lie by inputs, by outputs, or in panels packed for the kernels (matrix_layout); whichever way,
// both functions take them.
//
// Determinism: an output is always summed in the same order: for weights [inner, outputs] k = 0, 1, 2, … with
// one fma each (vectorised across outputs), for [outputs, inner] in `simd::width` interleaved partial sums
// that are added in one fixed order, for panels block by block. The kernels of one row and of a few, which
// stream the weights from memory once, and those of many rows, which pack them into cache blocks, all keep to
// it, and threads divide outputs only. So the same bits come out for any number of rows at once and any
// number of threads. Units that multiply bf16 by bf16 (kernels/x86/bf16_unit.hpp) take whole tiles of rows
// and bf16 weights (AMX also f32, split into bf16 parts, where the context lets it), for which activations
// are rounded, and have an order of their own: one for any number of rows from tiled_rows on, and any number
// of threads.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>

#include <transept/core/element_type.hpp>
#include <transept/kernels/activation.hpp>
#include <transept/kernels/matmul_few_rows.hpp>
#include <transept/kernels/matmul_float_panels.hpp>
#include <transept/kernels/matmul_many_rows.hpp>
#include <transept/kernels/matmul_one_row.hpp>
#include <transept/kernels/matmul_panels.hpp>
#include <transept/kernels/operands.hpp>
#include <transept/kernels/product.hpp>
#include <transept/kernels/x86/matmul_tiles.hpp>
#include <transept/runtime/compute_context.hpp>

namespace transept::inline TRANSEPT_ABI::kernels {

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
      return multiply<T>(context, {x.rows, x.cols, w.cols}, {x.data, x.cols}, {weights, w.cols}, y, w.cols,
                         finish);
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

/// y [rows, outputs] = epilogue(x [rows, inner] · w [inner, outputs]), w of any layout.
inline void matmul(compute_context& context, rows_of_floats x, stored_matrix w, float* y, epilogue finish) {
  switch (w.layout) {
  case matrix_layout::row_major:
    return detail::matmul_by_inputs(context, x, w, y, finish);
  case matrix_layout::transposed:
    return detail::matmul_by_outputs(context, x, transposed(w), y, finish);
  case matrix_layout::panels:
    return detail::matmul_by_panels(context, x, w, w.cols, y, finish);
  }
}

/// y [rows, outputs] = epilogue(x [rows, inner] · w [outputs, inner]ᵀ), w of any layout.
inline void matmul_transposed(compute_context& context, rows_of_floats x, stored_matrix w, float* y,
                              epilogue finish) {
  matmul(context, x, transposed(w), y, finish);
}

} // namespace transept::inline TRANSEPT_ABI::kernels
