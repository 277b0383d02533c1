// Layer normalisation (Ba, Kiros & Hinton 2016) over the width of each position.
#pragma once

#include <transept/kernels/layer_norm.hpp>
#include <transept/layers/linear.hpp>
#include <transept/layers/norm_settings.hpp>
#include <transept/tensor/parameters.hpp>
#include <transept/tensor/weights.hpp>

namespace transept::inline TRANSEPT_ABI {

/// `Scaled`, `Shifted`: whether it has a weight and a bias.
template <extent Width, choice Scaled = true, choice Shifted = true, class Weights = inference_weights>
struct layer_norm {
  static_assert(Width > 0 || Width == dyn, "layer_norm<Width>: the width must be positive, or dyn");

  static constexpr bool never_there = false; ///< though it may be without weight and bias

  typename Weights::template vector<extent_if(Scaled, Width)> weight; ///< none where it is not scaled
  typename Weights::template vector<extent_if(Shifted, Width)> bias;  ///< none where it is not shifted

  /// For the walk over parameters.
  static constexpr auto members =
      members_of(member{"weight", &layer_norm::weight}, member{"bias", &layer_norm::bias});
  /// Numbers in its parameters; those of a `dyn` extent count as 0.
  static constexpr std::size_t parameter_count =
      static_count(extent_if(Scaled, Width)) + static_count(extent_if(Shifted, Width));

  /// With its extents, and no data yet.
  static layer_norm shaped(extent width = Width, choice is_scaled = Scaled, choice is_shifted = Shifted) {
    return {decltype(weight)::shaped(extent_if(is_scaled, width)),
            decltype(bias)::shaped(extent_if(is_shifted, width))};
  }
};

/// y [rows, Width] = (x − mean) / √(variance + epsilon) · weight + bias, row by row; y may be x.
template <extent Width, choice Scaled, choice Shifted, extent XWidth, extent YWidth>
void forward(const layer_norm<Width, Scaled, Shifted>& layer, compute_context& context, activations<XWidth> x,
             activations<YWidth> y, const norm_settings& settings) {
  static_assert(compatible(XWidth, Width), "layer_norm: the input's width must equal the layer's");
  static_assert(compatible(YWidth, Width), "layer_norm: the output's width must equal the layer's");
  kernels::layer_norm(context, detail::operand<XWidth>(x), layer.weight.data(), layer.bias.data(),
                      settings.epsilon, y.data());
}

/// dx [rows, Width] += the gradient that dy gives x, for a norm stands beside the residual stream; so do the
/// gradients of weight and bias.
template <extent Width, choice Scaled, choice Shifted, extent XWidth>
void backward(const layer_norm<Width, Scaled, Shifted>& layer,
              const layer_norm<Width, Scaled, Shifted, gradient_weights>& gradient, compute_context& context,
              activations<XWidth> x, activations<XWidth> dy, activations<XWidth> dx,
              const norm_settings& settings) {
  kernels::layer_norm_backward(context, detail::operand<XWidth>(x), layer.weight.data(), settings.epsilon,
                               dy.data(), dx.data(), gradient.weight.data(), gradient.bias.data());
}

} // namespace transept::inline TRANSEPT_ABI
