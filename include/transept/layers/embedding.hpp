// Embedding table: one row of `Width` numbers per token, or per position.
#pragma once

#include <cassert>
#include <cstddef>
#include <tuple>

#include <transept/kernels/embedding.hpp>
#include <transept/kernels/embedding_backward.hpp>
#include <transept/layers/linear.hpp>
#include <transept/tensor/parameters.hpp>
#include <transept/tensor/weights.hpp>

namespace transept::inline TRANSEPT_ABI {

/// `Count` rows, which may be `dyn`: a fine-tuned model often has one token more. `Use` is `table` where an
/// output projection may read the table too, `lookup` where rows are only ever looked up (positions).
template <extent Count, extent Width, matrix_use Use = matrix_use::table, class Weights = inference_weights>
struct embedding {
  static_assert(Count > 0 || Count == dyn, "embedding<Count, Width>: Count must be positive, or dyn");
  static_assert(Width > 0, "embedding<Count, Width>: the width must be positive");

  typename Weights::template matrix<Count, Width, Use> weight;

  static constexpr auto members = std::tuple(member{"weight", &embedding::weight});
  static constexpr std::size_t parameter_count = Count == dyn ? 0 : static_cast<std::size_t>(Count * Width);
};

/// y [Width] = row `index` of the table; 0 ≤ index < number of rows.
template <extent Count, extent Width, matrix_use Use>
void copy_row(const embedding<Count, Width, Use>& layer, extent index, float* y) {
  assert(index >= 0 && index < layer.weight.rows());
  kernels::copy_row(detail::operand(layer.weight), static_cast<std::size_t>(index), y);
}

/// y [Width] += row `index` of the table.
template <extent Count, extent Width, matrix_use Use>
void add_row(const embedding<Count, Width, Use>& layer, extent index, float* y) {
  assert(index >= 0 && index < layer.weight.rows());
  kernels::add_row(detail::operand(layer.weight), static_cast<std::size_t>(index), y);
}

/// The gradient's row index_of(r) += row r of dx [rows, Width], rows in order.
template <extent Count, extent Width, matrix_use Use, class IndexOf>
void backward(const embedding<Count, Width, Use, gradient_weights>& gradient, compute_context& context,
              activations<Width> dx, IndexOf&& index_of) {
  kernels::scatter_rows(context, dx.data(), static_cast<std::size_t>(dx.rows()), Width,
                        gradient.weight.data(), index_of);
}

} // namespace transept::inline TRANSEPT_ABI
