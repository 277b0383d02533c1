// Position-wise feed-forward network (Vaswani et al. 2017, section 3.3): activation(x W₁ + b₁) W₂ + b₂.
#pragma once

#include <cstddef>
#include <tuple>

#include <transept/kernels/activation_backward.hpp>
#include <transept/layers/linear.hpp>
#include <transept/layers/residual.hpp>

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
template <extent Width, extent Inner, extent XWidth, extent YWidth, class Observer = no_observer>
void forward(const feed_forward<Width, Inner>& layer, compute_context& context, activations<XWidth> x,
             activations<YWidth> y, activation_type activation, Observer&& observer = {}) {
  static_assert(XWidth == Width, "feed_forward: the input's width must equal the layer's");
  static_assert(YWidth == Width, "feed_forward: the output's width must equal the layer's");
  workspace::scope scope(context.memory);
  const auto inner = scope.take<Inner>(x.rows()); // [rows, Inner]
  if constexpr (taping<Observer>) { // the backward pass needs what is activated, not what comes of it
    const auto before = observer.template keep<Inner>(x.rows());
    forward(layer.c_fc, context, x, before);
    kernels::activate(context, activation, before.data(), static_cast<std::size_t>(before.size()),
                      inner.data());
  } else {
    forward(layer.c_fc, context, x, inner, {.activation = activation});
  }
  add_residual(layer.c_proj, context, inner, y, observer);
}

/// dx [rows, Width] = the gradient that dy gives the input, which lies on the tape under what the layer kept.
template <extent Width, extent Inner>
void backward(const feed_forward<Width, Inner>& layer,
              const feed_forward<Width, Inner, gradient_weights>& gradient, compute_context& context,
              activations<Width> dy, activations<Width> dx, activation_type activation, tape& tape) {
  const extent rows = dy.rows();
  workspace::scope scope(context.memory);
  const auto dadded = residual_gradient(scope, context, dy, tape);

  const auto before = tape.take_back<Inner>(rows); // [rows, Inner]
  const auto inner = scope.take<Inner>(rows);      // what was activated, again
  const auto dinner = scope.take<Inner>(rows);
  backward_input(layer.c_proj, context, dadded, dinner);
  kernels::activate_backward(context, activation, before.data(), static_cast<std::size_t>(before.size()),
                             inner.data(), dinner.data());
  backward_parameters(gradient.c_proj, context, inner, dadded);

  const auto x = tape.take_back<Width>(rows);
  backward(layer.c_fc, gradient.c_fc, context, x, dinner, dx);
}

} // namespace transept::inline TRANSEPT_ABI
