// RMS normalisation (Zhang & Sennrich 2019) over the width of each position: layer normalisation without the
// mean and without a bias.
#pragma once

#include <transept/kernels/rms_norm.hpp>
#include <transept/layers/linear.hpp>
#include <transept/layers/norm_settings.hpp>
#include <transept/tensor/parameters.hpp>
#include <transept/tensor/weights.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A width of 0 is a norm that is not there (is_there; in any model of the type, never_there).
template <extent Width, class Weights = inference_weights>
struct rms_norm {
  static constexpr bool never_there = Width == 0; ///< in any layer of the type

  typename Weights::template vector<Width> weight; ///< settings add weight_offset to it

  /// For the walk over parameters.
  static constexpr auto members = members_of(member{"weight", &rms_norm::weight});
  /// Numbers in its parameters; those of a `dyn` extent count as 0.
  static constexpr std::size_t parameter_count = static_count(Width);

  /// With its extents, and no data yet.
  static rms_norm shaped(extent width = Width) { return {decltype(weight)::shaped(width)}; }
  bool is_there() const { return weight.size() != 0; } ///< whether it has a width
};

/// y [rows, Width] = x / √(mean(x²) + epsilon) · (weight_offset + weight), row by row; y may be x.
template <extent Width, extent XWidth, extent YWidth>
void forward(const rms_norm<Width>& layer, compute_context& context, activations<XWidth> x,
             activations<YWidth> y, const norm_settings& settings) {
  static_assert(compatible(XWidth, Width), "rms_norm: the input's width must equal the layer's");
  static_assert(compatible(YWidth, Width), "rms_norm: the output's width must equal the layer's");
  kernels::rms_norm(context, detail::operand<XWidth>(x), layer.weight.data(), settings.weight_offset,
                    settings.epsilon, y.data());
}

/// dx [rows, Width] += the gradient that dy gives x; so does the gradient of weight.
template <extent Width, extent XWidth>
void backward(const rms_norm<Width>& layer, const rms_norm<Width, gradient_weights>& gradient,
              compute_context& context, activations<XWidth> x, activations<XWidth> dy, activations<XWidth> dx,
              const norm_settings& settings) {
  kernels::rms_norm_backward(context, detail::operand<XWidth>(x), layer.weight.data(), settings.weight_offset,
                             settings.epsilon, dy.data(), dx.data(), gradient.weight.data());
}

} // namespace transept::inline TRANSEPT_ABI
