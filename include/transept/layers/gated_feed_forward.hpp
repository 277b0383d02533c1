// A feed-forward network with a gate (Dauphin et al. 2017; Shazeer 2020, "GLU Variants Improve Transformer"):
//
//   (activation(x W) ∘ x V) W₂       sigmoid: GLU, relu: ReGLU, gelu: GEGLU, silu: SwiGLU
//
// Gate and value are one product, [W V] side by side.
#pragma once

#include <cstddef>

#include <transept/kernels/gated_activation.hpp>
#include <transept/layers/linear.hpp>
#include <transept/layers/residual.hpp>

namespace transept::inline TRANSEPT_ABI {

/// The network's parameters; which activation the gate has is told with each call.
/// `Inner`: the width of gate and value; `Bias`: whether both products have one.
template <extent Width, extent Inner, choice Bias = false, class Weights = inference_weights>
struct gated_feed_forward {
  linear<Width, product_of(2, Inner), Bias, Weights> gate_up; ///< the gate's outputs, then the value's
  linear<Inner, Width, Bias, Weights> down;                   ///< W₂, from the inner width back

  static constexpr std::size_t projections = 2; ///< of the input to the inner width
  /// For the walk over parameters.
  static constexpr auto members =
      members_of(member{"gate_up", &gated_feed_forward::gate_up}, member{"down", &gated_feed_forward::down});
  /// Numbers in its parameters; those of a `dyn` extent count as 0.
  static constexpr std::size_t parameter_count =
      decltype(gate_up)::parameter_count + decltype(down)::parameter_count;

  /// With its extents, and no data yet.
  static gated_feed_forward shaped(extent width = Width, extent inner = Inner, choice has_bias = Bias) {
    return {decltype(gate_up)::shaped(width, 2 * inner, has_bias),
            decltype(down)::shaped(inner, width, has_bias)};
  }
};

/// y [rows, Width] += the network's output for x [rows, Width]; or y = …
template <extent Width, extent Inner, choice Bias, extent XWidth, extent YWidth, class Observer = no_observer>
void forward(const gated_feed_forward<Width, Inner, Bias>& layer, compute_context& context,
             activations<XWidth> x, activations<YWidth> y, activation_type activation,
             Observer&& observer = {}, bool add_to_y = true) {
  static_assert(compatible(XWidth, Width), "gated_feed_forward: the input's width must equal the layer's");
  static_assert(compatible(YWidth, Width), "gated_feed_forward: the output's width must equal the layer's");
  workspace::scope scope(context.memory);
  const extent rows = x.rows(), width = layer.down.weight.rows();
  const auto both = take_kept<product_of(2, Inner)>(scope, observer, rows, 2 * width); // gate, value
  forward(layer.gate_up, context, x, both);
  const auto inner = scope.take<Inner>(rows, width); // [rows, Inner]
  kernels::gated_activation(context, activation, both.data(), static_cast<std::size_t>(rows),
                            static_cast<std::size_t>(width), inner.data());
  forward_dropped(layer.down, context, inner, y, add_to_y, observer);
}

/// dx [rows, Width] = the gradient that dy gives the input, which lies on the tape under what the layer kept.
template <extent Width, extent Inner, choice Bias, extent XWidth>
void backward(const gated_feed_forward<Width, Inner, Bias>& layer,
              const gated_feed_forward<Width, Inner, Bias, gradient_weights>& gradient,
              compute_context& context, activations<XWidth> dy, activations<XWidth> dx,
              activation_type activation, tape& tape) {
  const extent rows = dy.rows(), width = layer.down.weight.rows();
  workspace::scope scope(context.memory);
  const auto dmade = undropped_gradient(scope, context, dy, tape);

  const auto both = tape.take_back<product_of(2, Inner)>(rows, 2 * width);
  const auto inner = scope.take<Inner>(rows, width); // what came of it, again
  const auto dinner = scope.take<Inner>(rows, width);
  const auto dboth = scope.take<product_of(2, Inner)>(rows, 2 * width);
  backward_input(layer.down, context, dmade, dinner);
  kernels::gated_activation_backward(context, activation, both.data(), static_cast<std::size_t>(rows),
                                     static_cast<std::size_t>(width), dinner.data(), inner.data(),
                                     dboth.data());
  backward_parameters(gradient.down, context, inner, dmade);

  const auto x = tape.take_back<XWidth>(rows, dx.cols());
  backward(layer.gate_up, gradient.gate_up, context, x, dboth, dx);
}

} // namespace transept::inline TRANSEPT_ABI
