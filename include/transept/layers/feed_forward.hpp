// Position-wise feed-forward network (Vaswani et al. 2017, section 3.3): activation(x W₁ + b₁) W₂ + b₂.
#pragma once

#include <cstddef>
#include <tuple>

#include <transept/layers/linear.hpp>

namespace transept::inline TRANSEPT_ABI {

template <extent Width, extent Inner = 4 * Width, class Weights = inference_weights>
struct feed_forward {
  linear<Width, Inner, Weights> c_fc;
  linear<Inner, Width, Weights> c_proj;

  static constexpr auto members =
      std::tuple(member{"c_fc", &feed_forward::c_fc}, member{"c_proj", &feed_forward::c_proj});
  static constexpr std::size_t parameter_count =
      decltype(c_fc)::parameter_count + decltype(c_proj)::parameter_count;
};

/// y [rows, Width] += the network's output for x [rows, Width].
template <extent Width, extent Inner, extent XWidth, extent YWidth>
void forward(const feed_forward<Width, Inner>& layer, compute_context& context, activations<XWidth> x,
             activations<YWidth> y, activation_type activation) {
  static_assert(XWidth == Width, "feed_forward: the input's width must equal the layer's");
  static_assert(YWidth == Width, "feed_forward: the output's width must equal the layer's");
  workspace::scope scope(context.memory);
  const auto inner = scope.take<Inner>(x.rows()); // [rows, Inner]
  forward(layer.c_fc, context, x, inner, {.activation = activation});
  forward(layer.c_proj, context, inner, y, {.add_to_output = true});
}

} // namespace transept::inline TRANSEPT_ABI
