// The gradients of causal attention over whole sequences (sequence_attention.hpp):
//
//   dV = Pᵀ dO,  dP = dO Vᵀ,  dS = P ∘ (dP − rowsum(dO ∘ O)) · scale,  dQ = dS K,  dK = dSᵀ Q
//
// with P = exp(S − log-sum-exp) computed again, a block of queries at a time (Dao et al. 2022, algorithm 4).
// Every one of the products has rows of its result as vectors, so that none needs a horizontal sum.
#pragma once

#include <algorithm>
#include <cstddef>

#include <transept/kernels/sequence_attention.hpp>

namespace transept::inline TRANSEPT_ABI::kernels {

/// The gradients of queries, keys and values, laid out as these are: dqueries + r · row_stride + h ·
/// head_width and so on. `out` and `log_sums` are what the forward pass gave, dout [rows, heads · head_width]
/// is the gradient of `out`.
struct sequence_attention_gradient {
  const float* out;
  const float* log_sums;
  const float* dout;
  float* dqueries;
  float* dkeys;
  float* dvalues;
};

namespace detail {

/// One thread's scratch memory for the backward pass of a head, and the pieces it is divided into.
struct attention_backward_scratch {
  float* keys;          ///< [length, padded width]
  float* keys_across;   ///< [width, padded length]
  float* values_across; ///< [width, padded length]
  float* queries;       ///< [query_rows, padded width]
  float* dout;          ///< [query_rows, padded width]
  float* probabilities; ///< [query_rows, padded length]
  float* dscores;       ///< [query_rows, padded length]
  float* dqueries;      ///< [query_rows, padded width]
  float* dkeys;         ///< [length, padded width]
  float* dvalues;       ///< [length, padded width]

  static constexpr std::size_t room(const sequence_attention& problem) {
    const padded_sizes size = padded(problem);
    return 3 * problem.length * size.width + 2 * problem.head_width * size.length +
           3 * query_rows * size.width + 2 * query_rows * size.length;
  }

  attention_backward_scratch(const sequence_attention& problem, float* memory) {
    const padded_sizes size = padded(problem);
    const auto take = [&](std::size_t count) {
      float* const taken = memory;
      memory += count;
      return taken;
    };
    keys = take(problem.length * size.width);
    keys_across = take(problem.head_width * size.length);
    values_across = take(problem.head_width * size.length);
    queries = take(query_rows * size.width);
    dout = take(query_rows * size.width);
    probabilities = take(query_rows * size.length);
    dscores = take(query_rows * size.length);
    dqueries = take(query_rows * size.width);
    dkeys = take(problem.length * size.width);
    dvalues = take(problem.length * size.width);
  }
};

/// Rows of probabilities and of score gradients for query `q` of a head: given its scores Q Kᵀ and dP = dO
/// Vᵀ. Afterwards `scores` holds P as it met the values (with dropout), `dscores` dS.
inline void score_row_backward(const sequence_attention& problem, std::size_t mask_row, float log_sum,
                               float output_product, std::size_t visible, std::size_t padded_visible,
                               float* scores, float* dscores) {
  const simd::batch scale = simd::broadcast(problem.scale), shift = simd::broadcast(-log_sum);
  const simd::batch product = simd::broadcast(output_product);
  const bool dropping = problem.dropout.rate > 0;
  if (dropping) drop_row(problem.dropout, mask_row, dscores, visible);
  for (std::size_t i = 0; i < visible; i += simd::width) {
    const simd::batch p = simd::exp(simd::fma(simd::load(scores + i), scale, shift));
    simd::store(scores + i, p);
    simd::store(dscores + i, p * (simd::load(dscores + i) - product) * scale);
  }
  std::fill(scores + visible, scores + padded_visible, 0.0f);
  std::fill(dscores + visible, dscores + padded_visible, 0.0f);
  if (dropping) drop_row(problem.dropout, mask_row, scores, visible);
}

inline void attend_head_backward(const sequence_attention& problem,
                                 const sequence_attention_gradient& gradient, std::size_t task,
                                 const attention_backward_scratch& scratch) {
  const padded_sizes size = padded(problem);
  const std::size_t width = problem.head_width, length = problem.length, stride = problem.row_stride;
  const head_place at(problem, task);
  gather_rows(problem.keys + at.offset, stride, length, width, size.width, scratch.keys);
  gather_columns(problem.keys + at.offset, stride, length, width, size.length, scratch.keys_across);
  gather_columns(problem.values + at.offset, stride, length, width, size.length, scratch.values_across);
  std::fill_n(scratch.dkeys, length * size.width, 0.0f);
  std::fill_n(scratch.dvalues, length * size.width, 0.0f);

  for (std::size_t q0 = 0; q0 < length; q0 += query_rows) {
    const std::size_t count = std::min(query_rows, length - q0);
    const std::size_t visible = q0 + count; // keys that any of these queries sees
    const std::size_t padded_visible = rounded_up(visible, small_tile_cols);
    const std::size_t out_offset = at.out_offset(problem, q0);
    const float* const queries = problem.queries + at.offset + q0 * stride;
    gather_rows(queries, stride, count, width, size.width, scratch.queries);
    gather_rows(gradient.dout + out_offset, at.out_stride, count, width, size.width, scratch.dout);
    small_product({queries, stride, 1}, count, scratch.keys_across, size.length, padded_visible,
                  scratch.probabilities, size.length, false, seen_scores(q0, width)); // Q Kᵀ
    small_product({scratch.dout, size.width, 1}, count, scratch.values_across, size.length, padded_visible,
                  scratch.dscores, size.length, false, seen_scores(q0, width)); // dO Vᵀ
    for (std::size_t q = 0; q < count; ++q) {
      const float product =
          dot(scratch.dout + q * size.width, gradient.out + out_offset + q * at.out_stride, width);
      score_row_backward(problem, task * length + q0 + q, gradient.log_sums[at.log_sum(problem, q0 + q)],
                         product, q0 + q + 1, padded_visible, scratch.probabilities + q * size.length,
                         scratch.dscores + q * size.length);
    }
    small_product({scratch.dscores, size.length, 1}, count, scratch.keys, size.width, size.width,
                  scratch.dqueries, size.width, false, sum_over_keys(q0, visible)); // dS K
    put_rows(scratch.dqueries, size.width, count, width, gradient.dqueries + at.offset + q0 * stride, stride);
    small_product({scratch.probabilities, 1, size.length}, visible, scratch.dout, size.width, size.width,
                  scratch.dvalues, size.width, true, sum_over_queries(q0, count)); // Pᵀ dO
    small_product({scratch.dscores, 1, size.length}, visible, scratch.queries, size.width, size.width,
                  scratch.dkeys, size.width, true, sum_over_queries(q0, count)); // dSᵀ Q
  }
  put_rows(scratch.dkeys, size.width, length, width, gradient.dkeys + at.offset, stride);
  put_rows(scratch.dvalues, size.width, length, width, gradient.dvalues + at.offset, stride);
}

} // namespace detail

/// Writes the gradients of queries, keys and values.
inline void attend_whole_sequences_backward(compute_context& context, const sequence_attention& problem,
                                            const sequence_attention_gradient& gradient) {
  using scratch = detail::attention_backward_scratch;
  detail::for_each_head<scratch>(context, problem, [&](std::size_t task, const scratch& its) {
    detail::attend_head_backward(problem, gradient, task, its);
  });
}

} // namespace transept::inline TRANSEPT_ABI::kernels
