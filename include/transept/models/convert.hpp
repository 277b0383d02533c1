// The same model with its matrices in another element type, or laid out for the kernels.
//
//   model = convert_weights(model, element_type::q8_0);          // int8 in blocks of 32, for the whole model
//   model = pack_weights(model);                                 // the same numbers, read faster
//
// Narrowing rounds to nearest; blocks are quantized as core/blocks.hpp says, each on its own, without data to
// calibrate on.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string_view>
#include <type_traits>
#include <vector>

#include <transept/kernels/embedding.hpp>
#include <transept/kernels/quantize.hpp>
#include <transept/layers/linear.hpp>
#include <transept/runtime/thread_pool.hpp>
#include <transept/tensor/buffer.hpp>
#include <transept/tensor/parameters.hpp>
#include <transept/tensor/weights.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

/// A shared block of `count` elements of T, uninitialised; `memory` keeps it.
template <class T>
T* allocate_weights(weight_owner& memory, std::size_t count) {
  auto block = std::make_shared<buffer<T>>(count);
  T* data = block->data();
  memory.keep(std::move(block));
  return data;
}

/// For who does not want to hear which rows were read.
struct ignore_rows {
  void operator()(std::size_t /*begin*/, std::size_t /*end*/) const {}
};

} // namespace detail

/// out [rows, cols] = the elements of w, by rows, as T (float, f16 or bf16).
template <class T, extent Rows, extent Cols, matrix_use Use>
void copy_elements(const weight_matrix<Rows, Cols, Use>& w, thread_pool& threads, T* out) {
  const kernels::stored_matrix from = detail::operand(w);
  parallel_for(threads, from.rows, 16, [&](std::size_t begin, std::size_t end, int) {
    std::vector<float> row(from.cols);
    for (std::size_t r = begin; r < end; ++r) {
      if constexpr (Use == matrix_use::linear)
        kernels::copy_input_row(from, r, row.data());
      else
        kernels::copy_row(from, r, row.data());
      for (std::size_t i = 0; i < from.cols; ++i) out[r * from.cols + i] = narrow(row[i], T{});
    }
  });
}

/// The matrix with elements of `type`; `memory` keeps them. What has that type already stays where it is, and
/// so does what is only looked up when `type` is a block type. `read(begin, end)` hears of the rows of a
/// table that has become blocks, as soon as they are not read again: tables are large, and may be let go
/// piece by piece.
template <extent Rows, extent Cols, matrix_use Use, class Read = detail::ignore_rows>
weight_matrix<Rows, Cols, Use> convert(const weight_matrix<Rows, Cols, Use>& w, element_type type,
                                       thread_pool& threads, weight_owner& memory, Read&& read = {}) {
  if (w.type() == type || (Use == matrix_use::lookup && is_block_type(type))) return w;
  if (!is_block_type(type)) {
    return with_element_type(type, [&]<class T>(T) -> weight_matrix<Rows, Cols, Use> {
      T* const data = detail::allocate_weights<T>(memory, static_cast<std::size_t>(w.size()));
      copy_elements(w, threads, data);
      return {data, type, w.rows(), w.cols()};
    });
  }
  if (w.layout() == matrix_layout::panels) { // by rows first
    weight_owner passing;
    float* const values = detail::allocate_weights<float>(passing, static_cast<std::size_t>(w.size()));
    copy_elements(w, threads, values);
    return convert(weight_matrix<Rows, Cols, Use>(values, element_type::f32, w.rows(), w.cols()), type,
                   threads, memory);
  }
  constexpr bool outputs_are_rows = Use == matrix_use::table;
  const kernels::stored_matrix from = detail::operand(w);
  const std::size_t inputs = outputs_are_rows ? from.cols : from.rows;
  const std::size_t outputs = outputs_are_rows ? from.rows : from.cols;
  std::byte* const packed =
      detail::allocate_weights<std::byte>(memory, kernels::panel_bytes(type, inputs, outputs));
  const bool in_pieces = outputs_are_rows && from.layout == matrix_layout::row_major;
  const std::size_t some = in_pieces ? 64 * kernels::panel_outputs : outputs;
  for (std::size_t begin = 0; begin < outputs; begin += some) {
    kernels::stored_matrix piece = from;
    if (in_pieces) {
      piece.data = static_cast<const std::byte*>(from.data) + begin * inputs * size_of(from.type);
      piece.rows = std::min(some, outputs - begin);
    }
    kernels::quantize_panels(threads, piece, outputs_are_rows, type,
                             packed + kernels::panel_bytes(type, inputs, begin));
    if (in_pieces) read(begin, begin + piece.rows);
  }
  return {packed, type, w.rows(), w.cols(), matrix_layout::panels};
}

/// The matrix in panels (kernels/float_panels.hpp) that `memory` keeps, its numbers and their type as they
/// are. Tables stay, since their rows are looked up, and so do panels.
template <extent Rows, extent Cols, matrix_use Use>
weight_matrix<Rows, Cols, Use> pack(const weight_matrix<Rows, Cols, Use>& w, thread_pool& threads,
                                    weight_owner& memory) {
  if (Use != matrix_use::linear || w.layout() == matrix_layout::panels) return w;
  const kernels::stored_matrix from = detail::operand(w);
  std::byte* const packed =
      detail::allocate_weights<std::byte>(memory, kernels::panel_bytes(w.type(), from.rows, from.cols));
  kernels::pack_float_panels(threads, from, packed);
  return {packed, w.type(), w.rows(), w.cols(), matrix_layout::panels};
}

namespace detail {

/// A copy of `model` with f(matrix, threads, memory) for each of its matrices.
template <class Model, class F>
Model with_each_matrix(const Model& model, int threads, F&& f) {
  thread_pool pool(threads);
  Model changed = model;
  for_each_parameter(
      [&](std::string_view, auto& leaf) {
        if constexpr (std::remove_cvref_t<decltype(leaf)>::rank == 2) leaf = f(leaf, pool, changed.memory);
      },
      changed);
  return changed;
}

} // namespace detail

/// A copy of `model` whose matrices have elements of `type`; vectors stay f32, and where `type` is a block
/// type so do tables that are only looked up (positions), as they are. Matrices of that type already are
/// shared with `model`. `threads`: 0 is one per processor.
template <class Model>
Model convert_weights(const Model& model, element_type type, int threads = 0) {
  return detail::with_each_matrix(model, threads,
                                  [type](const auto& w, thread_pool& pool, weight_owner& memory) {
                                    return convert(w, type, pool, memory);
                                  });
}

/// A copy of `model` whose linear layers lie as the kernels read them fastest; the logits keep their bits
/// where they lay by rows, [in, out], and nearly where they lay as [out, in]. `threads`: 0 is one per
/// processor.
template <class Model>
Model pack_weights(const Model& model, int threads = 0) {
  return detail::with_each_matrix(model, threads, [](const auto& w, thread_pool& pool, weight_owner& memory) {
    return pack(w, pool, memory);
  });
}

} // namespace transept::inline TRANSEPT_ABI
