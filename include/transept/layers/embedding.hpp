// Embedding table: one row of `Width` numbers per token, or per position.
#pragma once

#include <cassert>
#include <cstddef>
#include <span>

#include <transept/core/types.hpp>
#include <transept/kernels/embedding.hpp>
#include <transept/layers/linear.hpp>
#include <transept/tensor/parameters.hpp>
#include <transept/tensor/weights.hpp>

namespace transept::inline TRANSEPT_ABI {

/// `Count` rows, which may be `dyn`: a fine-tuned model often has one token more; none is a table that is not
/// there. `Use` is `table` where an output projection may read the table too, `lookup` where rows are only
/// ever looked up (positions).
template <extent Count, extent Width, matrix_use Use = matrix_use::table, class Weights = inference_weights>
struct embedding {
  static_assert(Count >= 0 || Count == dyn,
                "embedding<Count, Width>: Count must not be negative, unless dyn");
  static_assert(Width > 0 || Width == dyn, "embedding<Count, Width>: the width must be positive, or dyn");

  typename Weights::template matrix<Count, Width, Use> weight; ///< a row for each token, or position

  /// For the walk over parameters.
  static constexpr auto members = members_of(member{"weight", &embedding::weight});
  /// Numbers in its parameters; those of a `dyn` extent count as 0.
  static constexpr std::size_t parameter_count = static_count(Count, Width);

  /// With its extents, and no data yet.
  static embedding shaped(extent count = Count, extent width = Width) {
    return {decltype(weight)::shaped(count, width)};
  }
  bool is_there() const { return weight.rows() != 0; } ///< whether the table has rows
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

/// y [tokens, Width] = the rows of `tokens`.
template <extent Count, extent Width, matrix_use Use, extent YWidth>
void copy_rows(const embedding<Count, Width, Use>& layer, std::span<const token_id> tokens,
               activations<YWidth> y) {
  static_assert(compatible(YWidth, Width), "embedding: the output's width must equal the table's");
  for (std::size_t i = 0; i < tokens.size(); ++i)
    copy_row(layer, tokens[i], y.row(static_cast<extent>(i)).data());
}

/// The gradient's row index_of(r) += row r of dx [rows, Width], rows in order.
template <extent Count, extent Width, matrix_use Use, extent XWidth, class IndexOf>
void backward(const embedding<Count, Width, Use, gradient_weights>& gradient, compute_context& context,
              activations<XWidth> dx, IndexOf&& index_of) {
  kernels::scatter_rows(context, dx.data(), static_cast<std::size_t>(dx.rows()),
                        static_cast<std::size_t>(dx.cols()), gradient.weight.data(), index_of);
}

/// The way back of copy_rows.
template <extent Count, extent Width, matrix_use Use, extent YWidth>
void copy_rows_backward(const embedding<Count, Width, Use, gradient_weights>& gradient,
                        compute_context& context, std::span<const token_id> tokens, activations<YWidth> dy) {
  backward(gradient, context, dy, [&](std::size_t row) { return static_cast<std::size_t>(tokens[row]); });
}

} // namespace transept::inline TRANSEPT_ABI
