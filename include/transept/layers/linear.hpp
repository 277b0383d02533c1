// Affine map: y = x · W + b.
//
// `linear` stores W as [in, out], the layout of Hugging Face's Conv1D, which GPT-2 uses throughout;
// `output_projection` stores [out, in] rows and no bias: an embedding read the other way round.
#pragma once

#include <cassert>
#include <cstddef>

#include <transept/kernels/column_sums.hpp>
#include <transept/kernels/matmul.hpp>
#include <transept/kernels/product.hpp>
#include <transept/tensor/parameters.hpp>
#include <transept/tensor/weights.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

template <extent Width>
kernels::rows_of_floats operand(const_activations<Width> x) {
  return {x.data(), static_cast<std::size_t>(x.rows()), static_cast<std::size_t>(x.cols())};
}

template <extent Rows, extent Cols, matrix_use Use>
kernels::stored_matrix operand(const weight_matrix<Rows, Cols, Use>& w) {
  return {w.data(), w.type(), static_cast<std::size_t>(w.rows()), static_cast<std::size_t>(w.cols()),
          w.layout()};
}

/// A matrix that gradients are computed through: f32, by rows.
template <extent Rows, extent Cols, matrix_use Use>
kernels::float_matrix float_operand(const weight_matrix<Rows, Cols, Use>& w) {
  assert(w.type() == element_type::f32 && w.layout() == matrix_layout::row_major);
  return {static_cast<const float*>(w.data()), static_cast<std::size_t>(w.cols())};
}

template <extent Width>
kernels::float_matrix float_operand(activations<Width> x) {
  return {x.data(), static_cast<std::size_t>(x.cols())};
}

} // namespace detail

/// `Bias`: whether there is one. Without outputs it is a layer that is not there.
template <extent In, extent Out, choice Bias = true, class Weights = inference_weights>
struct linear {
  static_assert((In > 0 || In == dyn) && (Out >= 0 || Out == dyn),
                "linear<In, Out>: both widths must be positive, or dyn");

  typename Weights::template matrix<In, Out, matrix_use::linear> weight; ///< [In, Out]
  typename Weights::template vector<extent_if(Bias, Out)> bias; ///< without elements where there is none

  /// For the walk over parameters.
  static constexpr auto members =
      members_of(member{"weight", &linear::weight}, member{"bias", &linear::bias});
  /// Numbers in its parameters; those of a `dyn` extent count as 0.
  static constexpr std::size_t parameter_count = static_count(In, Out) + static_count(extent_if(Bias, Out));

  /// With its extents, and no data yet.
  static linear shaped(extent in = In, extent out = Out, choice has_bias = Bias) {
    return {decltype(weight)::shaped(in, out), decltype(bias)::shaped(extent_if(has_bias, out))};
  }
  bool is_there() const { return weight.size() != 0; } ///< whether it has outputs
};

/// What else a linear layer does in the same pass over its output.
struct linear_options {
  bool add_to_output = false;                               ///< y += …: the residual connection
  std::optional<activation_type> activation = std::nullopt; ///< applied last
};

/// y [rows, Out] = x [rows, In] · weight + bias.
template <extent In, extent Out, choice Bias, extent XWidth, extent YWidth>
void forward(const linear<In, Out, Bias>& layer, compute_context& context, activations<XWidth> x,
             activations<YWidth> y, linear_options options = {}) {
  static_assert(compatible(XWidth, In), "linear: the input's width must equal the layer's In");
  static_assert(compatible(YWidth, Out), "linear: the output's width must equal the layer's Out");
  kernels::matmul(
      context, detail::operand<XWidth>(x), detail::operand(layer.weight), y.data(),
      {.bias = layer.bias.data(), .add_to_output = options.add_to_output, .activation = options.activation});
}

/// The gradients of weight and bias += xᵀ · dy and the sums of dy's columns, for x [rows, In], dy [rows,
/// Out].
template <extent In, extent Out, choice Bias, extent XWidth, extent YWidth>
void backward_parameters(const linear<In, Out, Bias, gradient_weights>& gradient, compute_context& context,
                         activations<XWidth> x, activations<YWidth> dy) {
  const auto rows = static_cast<std::size_t>(dy.rows());
  const auto in = static_cast<std::size_t>(x.cols()), out = static_cast<std::size_t>(dy.cols());
  kernels::multiply(context, {in, rows, out}, transposed(detail::float_operand(x)), detail::float_operand(dy),
                    gradient.weight.data(), out, {}, true);
  if (gradient.bias.size() != 0)
    kernels::add_column_sums(context, rows, out, dy.data(), gradient.bias.data());
}

/// dx [rows, In] = dy [rows, Out] · weightᵀ; or dx += …
template <extent In, extent Out, choice Bias, extent XWidth, extent YWidth>
void backward_input(const linear<In, Out, Bias>& layer, compute_context& context, activations<YWidth> dy,
                    activations<XWidth> dx, bool add_to_dx = false) {
  const auto in = static_cast<std::size_t>(dx.cols()), out = static_cast<std::size_t>(dy.cols());
  kernels::multiply(context, {static_cast<std::size_t>(dy.rows()), out, in}, detail::float_operand(dy),
                    transposed(detail::float_operand(layer.weight)), dx.data(), in, {}, add_to_dx);
}

/// Both.
template <extent In, extent Out, choice Bias, extent XWidth, extent YWidth>
void backward(const linear<In, Out, Bias>& layer, const linear<In, Out, Bias, gradient_weights>& gradient,
              compute_context& context, activations<XWidth> x, activations<YWidth> dy,
              activations<XWidth> dx) {
  backward_parameters(gradient, context, x, dy);
  backward_input(layer, context, dy, dx);
}

/// logits [rows, vocabulary] = x [rows, Width] · tableᵀ, for an embedding table [vocabulary, Width], plus a
/// bias [vocabulary], where there is one.
template <extent Vocabulary, extent Width, extent XWidth>
void project_to_vocabulary(const weight_matrix<Vocabulary, Width, matrix_use::table>& table,
                           compute_context& context, activations<XWidth> x, float* logits,
                           const float* bias = nullptr) {
  static_assert(compatible(XWidth, Width),
                "project_to_vocabulary: the input's width must equal the embedding's");
  kernels::matmul_transposed(context, detail::operand<XWidth>(x), detail::operand(table), logits,
                             {.bias = bias});
}

} // namespace transept::inline TRANSEPT_ABI
