// The loss, block by block of logits (train/loss.hpp).
#pragma once

#include <algorithm>

#include <transept/core/function_ref.hpp>
#include <transept/kernels/column_sums.hpp>
#include <transept/kernels/cross_entropy.hpp>
#include <transept/kernels/product.hpp>
#include <transept/kernels/soft_cap.hpp>
#include <transept/train/loss.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION std::size_t count_targets(std::span<const token_id> targets) {
  return targets.size() - static_cast<std::size_t>(std::ranges::count(targets, no_target));
}

namespace detail {

/// Rows whose logits are held at once: all of a small vocabulary's, else as many as make the packing of the
/// output matrix, once for all of them and each product, little beside the products.
constexpr std::size_t loss_rows(std::size_t vocabulary) {
  return std::max<std::size_t>(1024, (std::size_t{1} << 20) / vocabulary);
}

/// Calls judge(logits of a row, its target) → loss for every row that has a target, block by block of logits
/// normed · tableᵀ + bias, and after(block's logits, first row, rows) after each; returns the sum of the
/// losses.
inline double sum_losses(const output_matrix& table, const float* bias, compute_context& context,
                         kernels::rows_of_floats normed, std::span<const token_id> targets,
                         function_ref<double(float*, std::size_t)> judge,
                         function_ref<void(const float*, std::size_t, std::size_t)> after) {
  const std::size_t vocabulary = table.vocabulary, rows = normed.rows, width = normed.cols;
  const std::size_t at_once = std::min(rows, loss_rows(vocabulary));
  workspace::scope scope(context.memory);
  float* const logits = scope.floats(at_once * vocabulary);
  auto* const losses = reinterpret_cast<double*>(scope.floats(2 * at_once));
  double total = 0;
  for (std::size_t first = 0; first < rows; first += at_once) {
    const std::size_t count = std::min(at_once, rows - first);
    kernels::multiply(context, {count, width, vocabulary}, {normed.row(first), width},
                      transposed(table.elements), logits, vocabulary, {.bias = bias});
    parallel_for(context.threads, count, 1, [&](std::size_t begin, std::size_t end, int) {
      for (std::size_t r = begin; r < end; ++r) {
        float* const row = logits + r * vocabulary;
        const bool counts = targets[first + r] != no_target;
        losses[r] = counts ? judge(row, static_cast<std::size_t>(targets[first + r])) : 0.0;
        if (!counts) std::fill_n(row, vocabulary, 0.0f);
      }
    });
    for (std::size_t r = 0; r < count; ++r) total += losses[r];
    after(logits, first, count);
  }
  return total;
}

TRANSEPT_FUNCTION double sum_losses(const output_matrix& table, compute_context& context,
                                    kernels::rows_of_floats normed, std::span<const token_id> targets,
                                    float soft_cap, const float* bias) {
  return sum_losses(
      table, bias, context, normed, targets,
      [&](float* logits, std::size_t target) {
        if (soft_cap > 0) kernels::soft_cap_row(logits, table.vocabulary, soft_cap);
        return kernels::cross_entropy(logits, table.vocabulary, target);
      },
      [](const float*, std::size_t, std::size_t) {});
}

TRANSEPT_FUNCTION double sum_losses_backward(const output_matrix& table, float* gradient,
                                             compute_context& context, kernels::rows_of_floats normed,
                                             std::span<const token_id> targets, const loss_settings& settings,
                                             float* dnormed) {
  const std::size_t vocabulary = table.vocabulary, width = normed.cols;
  return sum_losses(
      table, settings.bias, context, normed, targets,
      [&](float* logits, std::size_t target) {
        return kernels::cross_entropy_backward(logits, vocabulary, target, settings.smoothing,
                                               settings.weight, settings.soft_cap);
      },
      [&](const float* dlogits, std::size_t first, std::size_t rows) {
        const kernels::float_matrix gradients{dlogits, vocabulary};
        if (gradient)
          kernels::multiply(context, {vocabulary, rows, width}, transposed(gradients),
                            {normed.row(first), width}, gradient, width, {}, true);
        if (settings.bias_gradient)
          kernels::add_column_sums(context, rows, vocabulary, dlogits, settings.bias_gradient);
        kernels::multiply(context, {rows, vocabulary, width}, gradients, table.elements,
                          dnormed + first * width, width);
      });
}

} // namespace detail

} // namespace transept::inline TRANSEPT_ABI
