// The same model with its matrices in another element type, or laid out for the kernels.
//
//   model = convert_weights(model, element_type::q8_0);          // int8 in blocks of 32, for the whole model
//   model = pack_weights(model);                                 // the same numbers, read faster
//
// Narrowing rounds to nearest; blocks are quantized as core/blocks.hpp says, each on its own, without data to
// calibrate on.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>
#include <type_traits>

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

/// Hears that rows [begin, end) of a table were read, and are not read again.
using rows_listener = std::function<void(std::size_t begin, std::size_t end)>;

// Matrices are converted by their run-time view, so that a program's static shapes share one compiled
// conversion.

/// out [rows, cols] = the elements of w, by rows, as `type` (not in blocks). `use` says in what form blocks
/// lie: by outputs, which are the rows of a table and the columns of a linear layer.
TRANSEPT_FUNCTION void copy_elements(const kernels::stored_matrix& from, matrix_use use, thread_pool& threads,
                                     element_type type, void* out);

/// The run-time views of `convert` and `pack` below.
TRANSEPT_FUNCTION kernels::stored_matrix converted(const kernels::stored_matrix& from, matrix_use use,
                                                   element_type type, thread_pool& threads,
                                                   weight_owner& memory, const rows_listener& read);
TRANSEPT_FUNCTION kernels::stored_matrix packed(const kernels::stored_matrix& from, matrix_use use,
                                                thread_pool& threads, weight_owner& memory);

/// The matrix of w's type that is `view`.
template <extent Rows, extent Cols, matrix_use Use>
weight_matrix<Rows, Cols, Use> like(const weight_matrix<Rows, Cols, Use>& w,
                                    const kernels::stored_matrix& view) {
  return {view.data, view.type, w.rows(), w.cols(), view.layout};
}

} // namespace detail

/// out [rows, cols] = the elements of w, by rows, as T (float, f16 or bf16).
template <class T, extent Rows, extent Cols, matrix_use Use>
void copy_elements(const weight_matrix<Rows, Cols, Use>& w, thread_pool& threads, T* out) {
  detail::copy_elements(detail::operand(w), Use, threads, element_type_of_v<T>, out);
}

/// The matrix with elements of `type`; `memory` keeps them. What has that type already stays where it is, and
/// so does what is only looked up when `type` is a block type. `read(begin, end)` hears of the rows of a
/// matrix that lies by rows, as soon as they are not read again: tables are large, and may be let go piece by
/// piece.
template <extent Rows, extent Cols, matrix_use Use>
weight_matrix<Rows, Cols, Use> convert(const weight_matrix<Rows, Cols, Use>& w, element_type type,
                                       thread_pool& threads, weight_owner& memory,
                                       const detail::rows_listener& read = {}) {
  return detail::like(w, detail::converted(detail::operand(w), Use, type, threads, memory, read));
}

/// The matrix in panels (kernels/float_panels.hpp) that `memory` keeps, its numbers and their type as they
/// are. Tables stay, since their rows are looked up, and so do panels.
template <extent Rows, extent Cols, matrix_use Use>
weight_matrix<Rows, Cols, Use> pack(const weight_matrix<Rows, Cols, Use>& w, thread_pool& threads,
                                    weight_owner& memory) {
  return detail::like(w, detail::packed(detail::operand(w), Use, threads, memory));
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

#if !TRANSEPT_IS_COMPILED
#include <transept/models/impl/convert.hpp>
#endif
