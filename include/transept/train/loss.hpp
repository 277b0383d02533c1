// The loss of a language model: the mean cross-entropy of its next-token predictions.
//
// Logits are made, judged and turned into gradients a block of rows at a time, so that [rows, vocabulary] of
// them never exist at once.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include <transept/core/types.hpp>
#include <transept/kernels/cross_entropy.hpp>
#include <transept/kernels/product.hpp>
#include <transept/kernels/soft_cap.hpp>
#include <transept/layers/linear.hpp>
#include <transept/runtime/compute_context.hpp>
#include <transept/tensor/weights.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A target that counts for nothing.
inline constexpr token_id no_target = -1;

/// How many targets count.
inline std::size_t count_targets(std::span<const token_id> targets) {
  return targets.size() - static_cast<std::size_t>(std::ranges::count(targets, no_target));
}

namespace detail {

/// Rows whose logits are held at once: all of a small vocabulary's, else as many as make the packing of the
/// output matrix, once for all of them and each product, little beside the products.
constexpr std::size_t loss_rows(std::size_t vocabulary) {
  return std::max<std::size_t>(1024, (std::size_t{1} << 20) / vocabulary);
}

/// Calls judge(logits of a row, row) → loss for every row that has a target, block by block of logits
/// normed · tableᵀ, and after(block's logits, first row, rows) after each; returns the sum of the losses.
template <extent Vocabulary, extent Width, extent XWidth, class Judge, class After>
double sum_losses(const weight_matrix<Vocabulary, Width, matrix_use::table>& table, compute_context& context,
                  activations<XWidth> normed, std::span<const token_id> targets, Judge&& judge,
                  After&& after) {
  const auto vocabulary = static_cast<std::size_t>(table.rows());
  const auto rows = static_cast<std::size_t>(normed.rows()), width = static_cast<std::size_t>(normed.cols());
  const std::size_t at_once = std::min(rows, loss_rows(vocabulary));
  workspace::scope scope(context.memory);
  float* const logits = scope.floats(at_once * vocabulary);
  auto* const losses = reinterpret_cast<double*>(scope.floats(2 * at_once));
  double total = 0;
  for (std::size_t first = 0; first < rows; first += at_once) {
    const std::size_t count = std::min(at_once, rows - first);
    kernels::multiply(context, {count, width, vocabulary}, {normed.data() + first * width, width},
                      transposed(float_operand(table)), logits, vocabulary);
    parallel_for(context.threads, count, 1, [&](std::size_t begin, std::size_t end, int) {
      for (std::size_t r = begin; r < end; ++r) {
        float* const row = logits + r * vocabulary;
        const bool counts = targets[first + r] != no_target;
        losses[r] = counts ? judge(row, vocabulary, static_cast<std::size_t>(targets[first + r])) : 0.0;
        if (!counts) std::fill_n(row, vocabulary, 0.0f);
      }
    });
    for (std::size_t r = 0; r < count; ++r) total += losses[r];
    after(logits, first, count);
  }
  return total;
}

} // namespace detail

/// The sum of the losses of rows normed [rows, Width] against `targets`, token ids or no_target, for an
/// output matrix [vocabulary, Width]. soft_cap: of the logits, cap · tanh(logit / cap); 0: none.
template <extent Vocabulary, extent Width, extent XWidth>
double sum_losses(const weight_matrix<Vocabulary, Width, matrix_use::table>& table, compute_context& context,
                  activations<XWidth> normed, std::span<const token_id> targets, float soft_cap = 0.0f) {
  return detail::sum_losses(
      table, context, normed, targets,
      [soft_cap](float* logits, std::size_t count, std::size_t target) {
        if (soft_cap > 0) kernels::soft_cap_row(logits, count, soft_cap);
        return kernels::cross_entropy(logits, count, target);
      },
      [](const float*, std::size_t, std::size_t) {});
}

/// The numbers of a loss that gradients flow from.
struct loss_settings {
  float soft_cap = 0.0f;
  float smoothing = 0.0f; ///< what of each target's probability is spread over the vocabulary
  float weight = 1.0f;    ///< of the gradients
};

/// The same with its gradient, times `weight`: that of `normed` is written, to dnormed, which may be normed;
/// that of the matrix grows, unless it has no memory (the matrix is frozen).
template <extent Vocabulary, extent Width, extent XWidth>
double sum_losses_backward(const weight_matrix<Vocabulary, Width, matrix_use::table>& table,
                           const gradient_matrix<Vocabulary, Width, matrix_use::table>& gradient,
                           compute_context& context, activations<XWidth> normed,
                           std::span<const token_id> targets, const loss_settings& settings,
                           activations<XWidth> dnormed) {
  const auto vocabulary = static_cast<std::size_t>(table.rows());
  const auto width = static_cast<std::size_t>(normed.cols());
  return detail::sum_losses(
      table, context, normed, targets,
      [&](float* logits, std::size_t count, std::size_t target) {
        return kernels::cross_entropy_backward(logits, count, target, settings.smoothing, settings.weight,
                                               settings.soft_cap);
      },
      [&](const float* dlogits, std::size_t first, std::size_t rows) {
        const kernels::float_matrix gradients{dlogits, vocabulary};
        if (gradient.data())
          kernels::multiply(context, {vocabulary, rows, width}, transposed(gradients),
                            {normed.data() + first * width, width}, gradient.data(), width, {}, true);
        kernels::multiply(context, {rows, vocabulary, width}, gradients, detail::float_operand(table),
                          dnormed.data() + first * width, width);
      });
}

} // namespace transept::inline TRANSEPT_ABI
