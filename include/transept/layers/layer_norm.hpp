// Layer normalisation (Ba, Kiros & Hinton 2016) over the width of each position.
#pragma once

#include <tuple>

#include <transept/kernels/layer_norm.hpp>
#include <transept/kernels/layer_norm_backward.hpp>
#include <transept/layers/linear.hpp>
#include <transept/tensor/parameters.hpp>
#include <transept/tensor/weights.hpp>

namespace transept::inline TRANSEPT_ABI {

template <extent Width, class Weights = inference_weights>
struct layer_norm {
  static_assert(Width > 0, "layer_norm<Width>: the width must be positive");

  typename Weights::template vector<Width> weight;
  typename Weights::template vector<Width> bias;

  static constexpr auto members =
      std::tuple(member{"weight", &layer_norm::weight}, member{"bias", &layer_norm::bias});
  static constexpr std::size_t parameter_count = static_cast<std::size_t>(2 * Width);
};

/// y [rows, Width] = (x − mean) / √(variance + epsilon) · weight + bias, row by row; y may be x.
template <extent Width, extent XWidth, extent YWidth>
void forward(const layer_norm<Width>& layer, compute_context& context, activations<XWidth> x,
             activations<YWidth> y, float epsilon) {
  static_assert(XWidth == Width, "layer_norm: the input's width must equal the layer's");
  static_assert(YWidth == Width, "layer_norm: the output's width must equal the layer's");
  kernels::layer_norm(context, detail::operand<Width>(x), layer.weight.data(), layer.bias.data(), epsilon,
                      y.data());
}

/// dx [rows, Width] += the gradient that dy gives x, for a norm stands beside the residual stream; so do the
/// gradients of weight and bias.
template <extent Width>
void backward(const layer_norm<Width>& layer, const layer_norm<Width, gradient_weights>& gradient,
              compute_context& context, activations<Width> x, activations<Width> dy, activations<Width> dx,
              float epsilon) {
  kernels::layer_norm_backward(context, detail::operand<Width>(x), layer.weight.data(), epsilon, dy.data(),
                               dx.data(), gradient.weight.data(), gradient.bias.data());
}

} // namespace transept::inline TRANSEPT_ABI
