// What layers add to the residual stream, and drop of it while they are trained (GPT-2's resid_pdrop).
#pragma once

#include <cstdint>

#include <transept/kernels/dropout.hpp>
#include <transept/layers/linear.hpp>
#include <transept/layers/observer.hpp>
#include <transept/layers/tape.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

/// The mask of the place that a forward pass has come to, or that its backward pass has come back to.
inline kernels::dropout_mask mask_here(const tape& tape, float rate) {
  return {rate, tape.dropout.seed, tape.dropout.pass, static_cast<std::uint32_t>(tape.place())};
}

} // namespace detail

/// y [rows, Out] = layer(x), or y += …; of which a tape may drop elements.
template <extent In, extent Out, choice Bias, extent XWidth, extent YWidth, class Observer>
void forward_dropped(const linear<In, Out, Bias>& layer, compute_context& context, activations<XWidth> x,
                     activations<YWidth> y, bool add_to_y, [[maybe_unused]] Observer& observer) {
  if constexpr (taping<Observer>) {
    if (observer.dropout.residual > 0) {
      workspace::scope scope(context.memory);
      const auto made = scope.take<YWidth>(x.rows(), y.cols());
      forward(layer, context, x, made);
      kernels::drop(context, detail::mask_here(observer, observer.dropout.residual), made.data(),
                    static_cast<std::size_t>(x.rows()), static_cast<std::size_t>(y.cols()), y.data(),
                    add_to_y);
      return;
    }
  }
  forward(layer, context, x, y, {.add_to_output = add_to_y});
}

/// The gradient that reaches the layer of forward_dropped: dy, or in memory of `scope` what is not dropped of
/// it.
template <extent Width>
activations<Width> undropped_gradient(workspace::scope& scope, compute_context& context,
                                      activations<Width> dy, const tape& tape) {
  if (tape.dropout.residual <= 0) return dy;
  const auto kept = scope.take<Width>(dy.rows(), dy.cols());
  kernels::drop(context, detail::mask_here(tape, tape.dropout.residual), dy.data(),
                static_cast<std::size_t>(dy.rows()), static_cast<std::size_t>(dy.cols()), kept.data());
  return kept;
}

} // namespace transept::inline TRANSEPT_ABI
