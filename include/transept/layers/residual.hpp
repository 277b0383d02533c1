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

/// y [rows, Out] += layer(x), of which a tape may drop elements.
template <extent In, extent Out, extent YWidth, class Observer>
void add_residual(const linear<In, Out>& layer, compute_context& context, activations<In> x,
                  activations<YWidth> y, [[maybe_unused]] Observer& observer) {
  if constexpr (taping<Observer>) {
    if (observer.dropout.residual > 0) {
      workspace::scope scope(context.memory);
      const auto added = scope.take<Out>(x.rows());
      forward(layer, context, x, added);
      kernels::drop(context, detail::mask_here(observer, observer.dropout.residual), added.data(),
                    static_cast<std::size_t>(x.rows()), Out, y.data(), true);
      return;
    }
  }
  forward(layer, context, x, y, {.add_to_output = true});
}

/// The gradient that reaches the layer of add_residual: dy, or in memory of `scope` what is not dropped of
/// it.
template <extent Width>
activations<Width> residual_gradient(workspace::scope& scope, compute_context& context, activations<Width> dy,
                                     const tape& tape) {
  if (tape.dropout.residual <= 0) return dy;
  const auto kept = scope.take<Width>(dy.rows());
  kernels::drop(context, detail::mask_here(tape, tape.dropout.residual), dy.data(),
                static_cast<std::size_t>(dy.rows()), Width, kept.data());
  return kept;
}

} // namespace transept::inline TRANSEPT_ABI
