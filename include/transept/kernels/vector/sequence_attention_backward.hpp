// The gradients of attention over whole sequences (sequence_attention.hpp):
//
//   dV = Pᵀ dO,  dP = dO Vᵀ,  dS = P ∘ (dP − rowsum(dO ∘ O)),  dQ = dS K · scale,  dK = dSᵀ Q · scale
//
// with P = exp(S − log-sum-exp) computed again, a block of queries at a time (Dao et al. 2022, algorithm 4).
// A soft cap multiplies dS on its way to Q and K by 1 − (S / cap)²; a bias of the distance d gets the sum of
// dS along that diagonal. Every one of the products has rows of its result as vectors, so that none needs a
// horizontal sum.
#pragma once

#include <algorithm>
#include <cstddef>

#include <transept/kernels/sequence_attention.hpp>
#include <transept/kernels/vector/attention_scores.hpp>
#include <transept/kernels/vector/sequence_tasks.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

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

  static std::size_t room(std::size_t keys, std::size_t head_width) {
    const padded_sizes size(keys, head_width);
    return 3 * keys * size.width + 2 * head_width * size.length + 3 * query_rows * size.width +
           2 * query_rows * size.length;
  }

  attention_backward_scratch(std::size_t length, std::size_t head_width, float* memory) {
    const padded_sizes size(length, head_width);
    const auto take = [&](std::size_t count) {
      float* const taken = memory;
      memory += count;
      return taken;
    };
    keys = take(length * size.width);
    keys_across = take(head_width * size.length);
    values_across = take(head_width * size.length);
    queries = take(query_rows * size.width);
    dout = take(query_rows * size.width);
    probabilities = take(query_rows * size.length);
    dscores = take(query_rows * size.length);
    dqueries = take(query_rows * size.width);
    dkeys = take(length * size.width);
    dvalues = take(length * size.width);
  }
};

/// Distances from a query to the keys it sees, least … most.
struct distance_range {
  std::ptrdiff_t least = 0, most = -1;

  std::size_t count() const { return static_cast<std::size_t>(most - least + 1); }
};

inline distance_range distances(const sequence_attention& problem, std::size_t sequence) {
  const std::size_t queries = problem.queries_of(sequence).count, keys = problem.keys_of(sequence).count;
  distance_range result;
  for (std::size_t t = 0; t < queries; ++t) {
    const key_range seen = problem.sees.keys_of(t, keys);
    const auto least = static_cast<std::ptrdiff_t>(seen.begin) - static_cast<std::ptrdiff_t>(t);
    const auto behind = static_cast<std::ptrdiff_t>(seen.end) - static_cast<std::ptrdiff_t>(t);
    result = t == 0 ? distance_range{least, behind - 1}
                    : distance_range{std::min(result.least, least), std::max(result.most, behind - 1)};
  }
  return result;
}

/// What each head of each sequence adds to the gradient of its bias, until all are added in order.
struct bias_gradients {
  float* sums = nullptr; ///< [sequences, heads, room]; null: none are wanted
  std::size_t heads = 0, room = 0;

  float* of(std::size_t sequence, std::size_t head) const {
    return sums ? sums + (sequence * heads + head) * room : nullptr;
  }
};

/// What a row of score gradients is made of, besides the scores.
struct score_row {
  key_range seen;
  float log_sum;
  float output_product; ///< of the output and its gradient
  const float* bias;    ///< of the first key that is seen, or null
  float* dbias;         ///< of that key's distance, or null
  std::size_t mask_row;
};

/// Given the scores Q Kᵀ of a query and dP = dO Vᵀ: afterwards `scores` holds P as it met the values,
/// `dscores` dS as it meets queries and keys. Here dropout is not yet in P.
inline void score_gradients(const sequence_attention& problem, const score_row& row, float* scores,
                            float* dscores) {
  const simd::batch scale = simd::broadcast(problem.scale), shift = simd::broadcast(-row.log_sum);
  const simd::batch product = simd::broadcast(row.output_product);
  for (std::size_t i = row.seen.begin / simd::width * simd::width; i < row.seen.end; i += simd::width) {
    const simd::batch p = simd::exp(simd::fma(simd::load(scores + i), scale, shift));
    simd::store(scores + i, p);
    simd::store(dscores + i, p * (simd::load(dscores + i) - product) * scale);
  }
}

/// The same with a soft cap or a bias.
inline void adjusted_score_gradients(const sequence_attention& problem, const score_row& row, float* scores,
                                     float* dscores) {
  const simd::batch scale = simd::broadcast(problem.scale), log_sum = simd::broadcast(row.log_sum);
  const simd::batch product = simd::broadcast(row.output_product), one = simd::broadcast(1.0f);
  const simd::batch cap = simd::broadcast(problem.soft_cap);
  const simd::batch factor = simd::broadcast(problem.soft_cap > 0 ? problem.scale / problem.soft_cap : 0.0f);
  for (std::size_t i = row.seen.begin; i < row.seen.end; i += simd::width) {
    const std::size_t lanes = std::min(simd::width, row.seen.end - i), j = i - row.seen.begin;
    const simd::batch score = simd::load_lanes(scores + i, lanes);
    const simd::batch bias = row.bias ? simd::load_lanes(row.bias + j, lanes) : simd::broadcast(0.0f);
    simd::batch adjusted = simd::fma(score, scale, bias), slope = scale;
    if (problem.soft_cap > 0) {
      const simd::batch capped = simd::tanh(score * factor);
      adjusted = simd::fma(cap, capped, bias);
      slope = scale * (one - capped * capped);
    }
    const simd::batch p = simd::exp(adjusted - log_sum);
    const simd::batch dscore = p * (simd::load_lanes(dscores + i, lanes) - product);
    simd::store_lanes(scores + i, p, lanes);
    simd::store_lanes(dscores + i, dscore * slope, lanes);
    if (row.dbias) simd::store_lanes(row.dbias + j, simd::load_lanes(row.dbias + j, lanes) + dscore, lanes);
  }
}

/// Both, with dropout, and zeros in the rest of the block's range of keys.
inline void score_row_backward(const sequence_attention& problem, const score_row& row,
                               const seen_block& block, float* scores, float* dscores) {
  const auto [begin, end] = row.seen;
  const bool dropping = problem.dropout.rate > 0;
  if (dropping) drop_row(problem.dropout, row.mask_row, dscores, begin, end);
  if (problem.soft_cap > 0 || row.bias || row.dbias)
    adjusted_score_gradients(problem, row, scores, dscores);
  else
    score_gradients(problem, row, scores, dscores);
  for (float* const numbers : {scores, dscores}) {
    std::fill(numbers + block.begin, numbers + begin, 0.0f);
    std::fill(numbers + end, numbers + block.padded_end, 0.0f);
  }
  if (dropping) drop_row(problem.dropout, row.mask_row, scores, begin, end);
}

/// Adds to scratch.dkeys and scratch.dvalues, and writes dqueries. dbias: of the distance `least`, or null.
inline void attend_head_backward(const sequence_attention& problem,
                                 const sequence_attention_gradient& gradient, const head_place& at,
                                 const attention_backward_scratch& scratch, float* dbias,
                                 std::ptrdiff_t least) {
  const std::size_t width = problem.head_width, stride = problem.row_stride;
  const padded_sizes size(at.keys.count, width);
  for (std::size_t q0 = 0; q0 < at.queries.count; q0 += query_rows) {
    const seen_block block(problem.sees, q0, std::min(query_rows, at.queries.count - q0), at.keys.count);
    const std::size_t count = block.count, keys = block.end - block.begin;
    const std::size_t padded_keys = block.padded_end - block.begin;
    const std::size_t out_offset = at.out_offset(problem, q0);
    const float* const queries = problem.queries + at.query_offset + q0 * stride;
    float* const probabilities = scratch.probabilities + block.begin;
    float* const dscores = scratch.dscores + block.begin;
    gather_rows(queries, stride, count, width, size.width, scratch.queries);
    gather_rows(gradient.dout + out_offset, at.out_stride, count, width, size.width, scratch.dout);
    small_product({queries, stride, 1}, count, scratch.keys_across + block.begin, size.length, padded_keys,
                  probabilities, size.length, false, block.scores(width)); // Q Kᵀ
    small_product({scratch.dout, size.width, 1}, count, scratch.values_across + block.begin, size.length,
                  padded_keys, dscores, size.length, false, block.scores(width)); // dO Vᵀ
    for (std::size_t q = 0; q < count; ++q) {
      const std::size_t t = q0 + q;
      const key_range seen = block.of(q);
      const std::ptrdiff_t distance =
          static_cast<std::ptrdiff_t>(seen.begin) - static_cast<std::ptrdiff_t>(t) - least;
      const score_row row{.seen = seen,
                          .log_sum = gradient.log_sums[at.log_sum(problem, t)],
                          .output_product = dot(scratch.dout + q * size.width,
                                                gradient.out + out_offset + q * at.out_stride, width),
                          .bias = at.bias(problem, t, seen.begin),
                          .dbias = dbias ? dbias + distance : nullptr,
                          .mask_row = at.mask_row(problem, t)};
      score_row_backward(problem, row, block, scratch.probabilities + q * size.length,
                         scratch.dscores + q * size.length);
    }
    small_product({dscores, size.length, 1}, count, scratch.keys + block.begin * size.width, size.width,
                  size.width, scratch.dqueries, size.width, false, block.sum_over_keys()); // dS K
    put_rows(scratch.dqueries, size.width, count, width, gradient.dqueries + at.query_offset + q0 * stride,
             stride);
    small_product({probabilities, 1, size.length}, keys, scratch.dout, size.width, size.width,
                  scratch.dvalues + block.begin * size.width, size.width, true,
                  block.sum_over_queries()); // Pᵀ dO
    small_product({dscores, 1, size.length}, keys, scratch.queries, size.width, size.width,
                  scratch.dkeys + block.begin * size.width, size.width, true,
                  block.sum_over_queries()); // dSᵀ Q
  }
}

/// A head of keys and values of one sequence, and the heads that read it, one after another.
inline void attend_group_backward(const sequence_attention& problem,
                                  const sequence_attention_gradient& gradient, std::size_t sequence,
                                  std::size_t key_value_head, const attention_backward_scratch& scratch,
                                  const bias_gradients& dbias) {
  const std::size_t first_head = key_value_head * problem.group();
  const head_place first(problem, sequence, first_head);
  const std::size_t width = problem.head_width, stride = problem.key_stride(), length = first.keys.count;
  const float *const keys = problem.keys + first.key_offset, *const values =
                                                                 problem.values + first.key_offset;
  const padded_sizes size(length, width);
  gather_rows(keys, stride, length, width, size.width, scratch.keys);
  gather_columns(keys, stride, length, width, size.length, scratch.keys_across);
  gather_columns(values, stride, length, width, size.length, scratch.values_across);
  std::fill_n(scratch.dkeys, length * size.width, 0.0f);
  std::fill_n(scratch.dvalues, length * size.width, 0.0f);
  const distance_range seen = dbias.sums ? distances(problem, sequence) : distance_range{};
  for (std::size_t head = first_head; head < first_head + problem.group(); ++head) {
    float* const its = dbias.of(sequence, head);
    if (its) std::fill_n(its, seen.count(), 0.0f);
    attend_head_backward(problem, gradient, head_place(problem, sequence, head), scratch, its, seen.least);
  }
  put_rows(scratch.dkeys, size.width, length, width, gradient.dkeys + first.key_offset, stride);
  put_rows(scratch.dvalues, size.width, length, width, gradient.dvalues + first.key_offset, stride);
}

} // namespace detail

TRANSEPT_FUNCTION void attend_whole_sequences_backward(compute_context& context,
                                                       const sequence_attention& problem,
                                                       const sequence_attention_gradient& gradient) {
  using scratch = detail::attention_backward_scratch;
  workspace::scope scope(context.memory);
  detail::bias_gradients dbias{.sums = nullptr, .heads = problem.heads, .room = 0};
  if (gradient.dbias) {
    for (std::size_t s = 0; s < problem.sequences; ++s)
      dbias.room = std::max(dbias.room, detail::distances(problem, s).count());
    dbias.sums = scope.floats(problem.sequences * problem.heads * dbias.room);
  }
  const std::size_t groups = problem.heads / problem.group();
  detail::for_each_head<scratch>(
      context, problem, problem.sequences * groups, [&](std::size_t task, const scratch& its) {
        detail::attend_group_backward(problem, gradient, task / groups, task % groups, its, dbias);
      });
  if (!gradient.dbias) return;
  parallel_for(context.threads, problem.heads, 1, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t head = begin; head < end; ++head)
      for (std::size_t s = 0; s < problem.sequences; ++s) {
        const detail::distance_range seen = detail::distances(problem, s);
        const float* const from = dbias.of(s, head);
        float* const to =
            gradient.dbias + (static_cast<std::ptrdiff_t>(head * gradient.dbias_head_stride) + seen.least);
        for (std::size_t i = 0; i < seen.count(); ++i) to[i] += from[i];
      }
  });
}

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA
