// The loss of a language model: the mean cross-entropy of its next-token predictions.
//
// Logits are made, judged and turned into gradients a block of rows at a time, so that [rows, vocabulary] of
// them never exist at once.
#pragma once

#include <cstddef>
#include <span>

#include <transept/core/types.hpp>
#include <transept/kernels/operands.hpp>
#include <transept/layers/linear.hpp>
#include <transept/runtime/compute_context.hpp>
#include <transept/tensor/weights.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A target that counts for nothing.
inline constexpr token_id no_target = -1;

/// How many targets count.
TRANSEPT_FUNCTION std::size_t count_targets(std::span<const token_id> targets);

/// The numbers of a loss that gradients flow from.
struct loss_settings {
  float soft_cap = 0.0f;          ///< of the logits: cap · tanh(logit / cap); 0: none
  float smoothing = 0.0f;         ///< what of each target's probability is spread over the vocabulary
  float weight = 1.0f;            ///< of the gradients
  const float* bias = nullptr;    ///< of the logits [vocabulary]; none: 0
  float* bias_gradient = nullptr; ///< which grows by its own, where there is one
};

namespace detail {

/// An output matrix [vocabulary, width] of f32, whatever its extents.
struct output_matrix {
  kernels::float_matrix elements;
  std::size_t vocabulary;
};

template <extent Vocabulary, extent Width>
output_matrix output_of(const weight_matrix<Vocabulary, Width, matrix_use::table>& table) {
  return {float_operand(table), static_cast<std::size_t>(table.rows())};
}

/// The functions below; the gradient of a frozen matrix is null.
TRANSEPT_FUNCTION double sum_losses(const output_matrix& table, compute_context& context,
                                    kernels::rows_of_floats normed, std::span<const token_id> targets,
                                    float soft_cap, const float* bias);
TRANSEPT_FUNCTION double sum_losses_backward(const output_matrix& table, float* gradient,
                                             compute_context& context, kernels::rows_of_floats normed,
                                             std::span<const token_id> targets, const loss_settings& settings,
                                             float* dnormed);

} // namespace detail

/// The sum of the losses of rows normed [rows, Width] against `targets`, token ids or no_target, for an
/// output matrix [vocabulary, Width]. soft_cap: of the logits, cap · tanh(logit / cap); 0: none. bias: of the
/// logits [vocabulary]; none: 0.
template <extent Vocabulary, extent Width, extent XWidth>
double sum_losses(const weight_matrix<Vocabulary, Width, matrix_use::table>& table, compute_context& context,
                  activations<XWidth> normed, std::span<const token_id> targets, float soft_cap = 0.0f,
                  const float* bias = nullptr) {
  return detail::sum_losses(detail::output_of(table), context, detail::operand<XWidth>(normed), targets,
                            soft_cap, bias);
}

/// The same with its gradient, times `weight`: that of `normed` is written, to dnormed, which may be normed;
/// that of the matrix grows, unless it has no memory (the matrix is frozen).
template <extent Vocabulary, extent Width, extent XWidth>
double sum_losses_backward(const weight_matrix<Vocabulary, Width, matrix_use::table>& table,
                           const gradient_matrix<Vocabulary, Width, matrix_use::table>& gradient,
                           compute_context& context, activations<XWidth> normed,
                           std::span<const token_id> targets, const loss_settings& settings,
                           activations<XWidth> dnormed) {
  return detail::sum_losses_backward(detail::output_of(table), gradient.data(), context,
                                     detail::operand<XWidth>(normed), targets, settings, dnormed.data());
}

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/train/impl/loss.hpp>
#endif
