// From one width to another, without a bias: y = x · W; nothing where both are the same: y = x. (OPT's tokens
// are narrower than its residual stream; Zhang et al. 2022.)
#pragma once

#include <algorithm>
#include <cstddef>

#include <transept/layers/linear.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A matrix from width `From` to width `To`, or none.
template <extent From, extent To, class Weights = inference_weights>
struct projection {
  /// Of the matrix: 0 where the widths are one, `dyn` where one of them is told at run time.
  static constexpr extent inputs = From == dyn || To == dyn ? dyn : From == To ? 0 : From;

  /// [From, To]; without rows where there is none.
  typename Weights::template matrix<inputs, To, matrix_use::linear> weight;

  /// For the walk over parameters.
  static constexpr auto members = members_of(member{"weight", &projection::weight});
  /// Numbers in its parameters; those of a `dyn` extent count as 0.
  static constexpr std::size_t parameter_count = static_count(inputs, To);

  /// With its extents, and no data yet.
  static projection shaped(extent from = From, extent to = To) {
    return {decltype(weight)::shaped(from == to ? 0 : from, to)};
  }
  bool is_there() const { return weight.size() != 0; } ///< whether the widths differ
};

/// y [rows, To] = x [rows, From] · weight, or x, which y may be then.
template <extent From, extent To, extent XWidth, extent YWidth>
void forward(const projection<From, To>& layer, compute_context& context, activations<XWidth> x,
             activations<YWidth> y) {
  static_assert(compatible(XWidth, From), "projection: the input's width must equal the layer's From");
  static_assert(compatible(YWidth, To), "projection: the output's width must equal the layer's To");
  if (layer.is_there())
    kernels::matmul(context, detail::operand<XWidth>(x), detail::operand(layer.weight), y.data(), {});
  else if (y.data() != x.data())
    std::copy_n(x.data(), x.size(), y.data());
}

/// dx [rows, From] = the gradient that dy gives x; that of weight grows. dx may be x.
template <extent From, extent To, extent XWidth, extent YWidth>
void backward(const projection<From, To>& layer, const projection<From, To, gradient_weights>& gradient,
              compute_context& context, activations<XWidth> x, activations<YWidth> dy,
              activations<XWidth> dx) {
  if (!layer.is_there()) return void(std::copy_n(dy.data(), dy.size(), dx.data()));
  const auto rows = static_cast<std::size_t>(x.rows()), from = static_cast<std::size_t>(x.cols()),
             to = static_cast<std::size_t>(dy.cols());
  kernels::multiply(context, {from, rows, to}, transposed(detail::float_operand(x)),
                    detail::float_operand(dy), gradient.weight.data(), to, {}, true);
  kernels::multiply(context, {rows, to, from}, detail::float_operand(dy),
                    transposed(detail::float_operand(layer.weight)), dx.data(), from);
}

} // namespace transept::inline TRANSEPT_ABI
