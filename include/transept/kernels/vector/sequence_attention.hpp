// What kernels/sequence_attention.hpp declares, computed by vectors.
#pragma once

#include <cstddef>

#include <transept/kernels/sequence_attention.hpp>
#include <transept/kernels/vector/attention_scores.hpp>
#include <transept/kernels/vector/sequence_tasks.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

namespace detail {

/// One thread's scratch memory for a head.
struct attention_scratch {
  float* keys_across; ///< [head width, padded length]
  float* values;      ///< [length, padded width]
  float* scores;      ///< [query_rows, padded length]
  float* sums;        ///< [query_rows, padded width]

  static std::size_t room(std::size_t keys, std::size_t head_width) {
    const padded_sizes size(keys, head_width);
    return (head_width + query_rows) * size.length + (keys + query_rows) * size.width;
  }

  attention_scratch(std::size_t keys, std::size_t head_width, float* memory) : keys_across(memory) {
    const padded_sizes size(keys, head_width);
    values = keys_across + head_width * size.length;
    scores = values + keys * size.width;
    sums = scores + query_rows * size.length;
  }
};

inline void attend_head(const sequence_attention& problem, std::size_t task, const attention_scratch& scratch,
                        float* out, float* log_sums) {
  const head_place at(problem, task / problem.heads, task % problem.heads);
  const std::size_t width = problem.head_width, stride = problem.row_stride, keys = at.keys.count;
  const padded_sizes size(keys, width);
  gather_columns(problem.keys + at.key_offset, problem.key_stride(), keys, width, size.length,
                 scratch.keys_across);
  gather_rows(problem.values + at.key_offset, problem.key_stride(), keys, width, size.width, scratch.values);
  const bool adjusted = problem.soft_cap > 0 || problem.bias.at_zero;

  for (std::size_t q0 = 0; q0 < at.queries.count; q0 += query_rows) {
    const seen_block block(problem.sees, q0, std::min(query_rows, at.queries.count - q0), keys);
    small_product({problem.queries + at.query_offset + q0 * stride, stride, 1}, block.count,
                  scratch.keys_across + block.begin, size.length, block.padded_end - block.begin,
                  scratch.scores + block.begin, size.length, false, block.scores(width));
    for (std::size_t q = 0; q < block.count; ++q) {
      float* const row = scratch.scores + q * size.length;
      const key_range seen = block.of(q);
      if (adjusted)
        adjust_scores(row + seen.begin, seen.end - seen.begin, problem.scale, problem.soft_cap,
                      at.bias(problem, q0 + q, seen.begin));
      const float log_sum =
          softmax_row(row, seen, block.begin, block.padded_end, adjusted ? 1.0f : problem.scale);
      if (log_sums) log_sums[at.log_sum(problem, q0 + q)] = log_sum;
      if (problem.dropout.rate > 0)
        drop_row(problem.dropout, at.mask_row(problem, q0 + q), row, seen.begin, seen.end);
    }
    small_product({scratch.scores + block.begin, size.length, 1}, block.count,
                  scratch.values + block.begin * size.width, size.width, size.width, scratch.sums, size.width,
                  false, block.sum_over_keys());
    put_rows(scratch.sums, size.width, block.count, width, out + at.out_offset(problem, q0), at.out_stride);
  }
}

} // namespace detail

TRANSEPT_FUNCTION void attend_whole_sequences(compute_context& context, const sequence_attention& problem,
                                              float* out, float* log_sums) {
  detail::for_each_head<detail::attention_scratch>(
      context, problem, problem.tasks(), [&](std::size_t task, const detail::attention_scratch& scratch) {
        detail::attend_head(problem, task, scratch, out, log_sums);
      });
}

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA
