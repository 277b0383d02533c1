// Position-wise feed-forward network (Vaswani et al. 2017, section 3.3): activation(x W₁ + b₁) W₂ + b₂.
#pragma once

#include <cstddef>

#include <transept/kernels/activation.hpp>
#include <transept/layers/linear.hpp>
#include <transept/layers/residual.hpp>

namespace transept::inline TRANSEPT_ABI {

/// The network's parameters; which activation it has is told with each call.
/// `Inner`: the width between its layers; `Bias`: whether both have one.
template <extent Width, extent Inner = product_of(4, Width), choice Bias = true,
          class Weights = inference_weights>
struct feed_forward {
  linear<Width, Inner, Bias, Weights> up;   ///< W₁ and b₁
  linear<Inner, Width, Bias, Weights> down; ///< W₂ and b₂

  static constexpr std::size_t projections = 1; ///< of the input to the inner width
  /// For the walk over parameters.
  static constexpr auto members =
      members_of(member{"up", &feed_forward::up}, member{"down", &feed_forward::down});
  /// Numbers in its parameters; those of a `dyn` extent count as 0.
  static constexpr std::size_t parameter_count =
      decltype(up)::parameter_count + decltype(down)::parameter_count;

  /// With its extents, and no data yet.
  static feed_forward shaped(extent width = Width, extent inner = Inner, choice has_bias = Bias) {
    return {decltype(up)::shaped(width, inner, has_bias), decltype(down)::shaped(inner, width, has_bias)};
  }
};

/// y [rows, Width] += the network's output for x [rows, Width]; or y = …
template <extent Width, extent Inner, choice Bias, extent XWidth, extent YWidth, class Observer = no_observer>
void forward(const feed_forward<Width, Inner, Bias>& layer, compute_context& context, activations<XWidth> x,
             activations<YWidth> y, activation_type activation, Observer&& observer = {},
             bool add_to_y = true) {
  static_assert(compatible(XWidth, Width), "feed_forward: the input's width must equal the layer's");
  static_assert(compatible(YWidth, Width), "feed_forward: the output's width must equal the layer's");
  workspace::scope scope(context.memory);
  const extent width = layer.up.weight.cols();
  const auto inner = scope.take<Inner>(x.rows(), width); // [rows, Inner]
  if constexpr (taping<Observer>) { // the backward pass needs what is activated, not what comes of it
    const auto before = observer.template keep<Inner>(x.rows(), width);
    forward(layer.up, context, x, before);
    kernels::activate(context, activation, before.data(), static_cast<std::size_t>(before.size()),
                      inner.data());
  } else {
    forward(layer.up, context, x, inner, {.activation = activation});
  }
  forward_dropped(layer.down, context, inner, y, add_to_y, observer);
}

/// dx [rows, Width] = the gradient that dy gives the input, which lies on the tape under what the layer kept.
template <extent Width, extent Inner, choice Bias, extent XWidth>
void backward(const feed_forward<Width, Inner, Bias>& layer,
              const feed_forward<Width, Inner, Bias, gradient_weights>& gradient, compute_context& context,
              activations<XWidth> dy, activations<XWidth> dx, activation_type activation, tape& tape) {
  const extent rows = dy.rows(), width = layer.up.weight.cols();
  workspace::scope scope(context.memory);
  const auto dmade = undropped_gradient(scope, context, dy, tape);

  const auto before = tape.take_back<Inner>(rows, width); // [rows, Inner]
  const auto inner = scope.take<Inner>(rows, width);      // what was activated, again
  const auto dinner = scope.take<Inner>(rows, width);
  backward_input(layer.down, context, dmade, dinner);
  kernels::activate_backward(context, activation, before.data(), static_cast<std::size_t>(before.size()),
                             inner.data(), dinner.data());
  backward_parameters(gradient.down, context, inner, dmade);

  const auto x = tape.take_back<XWidth>(rows, dx.cols());
  backward(layer.up, gradient.up, context, x, dinner, dx);
}

} // namespace transept::inline TRANSEPT_ABI
