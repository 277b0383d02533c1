// What kernels/attention.hpp declares, computed by vectors.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

#include <transept/kernels/attention.hpp>
#include <transept/kernels/vector/attention_tile.hpp>
#include <transept/runtime/compute_context.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

namespace detail {

/// Rows (no more than `most_rows`) and heads of a block: whole register tiles, all heads of a group. But
/// where there are fewer groups than threads, groups are divided.
struct block_sizes {
  std::size_t rows, heads;

  block_sizes(const attention_problem& problem, int threads, std::size_t most_rows = most_block_rows)
      : rows(1), heads(std::min(problem.group(), query_block)) {
    rows = std::min(most_rows, query_block / heads);
    if (rows > query_tile) rows -= rows % query_tile;
    const std::size_t tasks = problem.heads / problem.group() * ((problem.rows + rows - 1) / rows);
    const std::size_t parts = static_cast<std::size_t>(threads) / std::max<std::size_t>(1, tasks);
    if (parts > 1) heads = (heads + parts - 1) / parts;
  }
};

/// Rows [row, row + rows) of heads [head, head + heads), which are of one group.
template <class T>
void attend_rows(const attention_problem& problem, const head_cache<T>& cache, std::size_t row,
                 std::size_t rows, std::size_t head, std::size_t heads, std::size_t position,
                 std::size_t length, float* out) {
  const std::size_t width = problem.heads * problem.head_width, column = head * problem.head_width;
  attend_block({.queries = problem.queries + row * problem.row_stride + column,
                .row_stride = problem.row_stride,
                .rows = rows,
                .first = position,
                .first_head = head,
                .heads = heads,
                .head_width = problem.head_width,
                .out = out + row * width + column,
                .out_stride = width,
                .sees = problem.sees,
                .length = length},
               {problem.scale, problem.soft_cap, problem.bias.at_zero}, problem.bias, cache);
}

/// Calls f(key/value head, first head, heads, first row, rows) for every block. Neighbours in a thread's part
/// share a head of keys.
template <class F>
void for_each_block(thread_pool& threads, const attention_problem& problem, block_sizes size, F&& f) {
  const std::size_t group = problem.group();
  const std::size_t pieces = (group + size.heads - 1) / size.heads;
  const std::size_t blocks = (problem.rows + size.rows - 1) / size.rows;
  const std::size_t tasks = problem.heads / group * pieces * blocks;
  parallel_for(threads, tasks, 1, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t task = begin; task < end; ++task) {
      const std::size_t row = task % blocks * size.rows;
      const std::size_t piece = task / blocks % pieces * size.heads;
      const std::size_t head = task / blocks / pieces;
      f(head, head * group + piece, std::min(size.heads, group - piece), row,
        std::min(size.rows, problem.rows - row));
    }
  });
}

} // namespace detail

TRANSEPT_FUNCTION void attend(compute_context& context, const attention_problem& problem,
                              keys_and_values cache, float* out) {
  const detail::block_sizes size(problem, context.threads.size());
  with_cache_type(cache.type, [&]<class T>(T) {
    detail::for_each_block(
        context.threads, problem, size,
        [&](std::size_t cache_head, std::size_t head, std::size_t heads, std::size_t row, std::size_t rows) {
          detail::attend_rows(problem, head_of<T>(cache, cache_head), row, rows, head, heads,
                              problem.first_position + row, problem.positions(), out);
        });
  });
}

TRANSEPT_FUNCTION void attend_sequences(compute_context& context, const attention_problem& problem,
                                        function_ref<sequence_row(std::size_t)> of_row, float* out) {
  const detail::block_sizes size(problem, context.threads.size(), 1);
  detail::for_each_block(
      context.threads, problem, size,
      [&](std::size_t cache_head, std::size_t head, std::size_t heads, std::size_t row, std::size_t) {
        const sequence_row at = of_row(row);
        const std::size_t length = at.length != 0        ? at.length
                                   : problem.length != 0 ? problem.length
                                                         : at.position + 1;
        with_cache_type(at.cache.type, [&]<class T>(T) {
          detail::attend_rows(problem, head_of<T>(at.cache, cache_head), row, 1, head, heads, at.position,
                              length, out);
        });
      });
}

TRANSEPT_FUNCTION void attention_weights(const attention_problem& problem, keys_and_values cache,
                                         float* weights, std::size_t head_rows, std::size_t row_length) {
  alignas(64) float scores[key_tile];
  for (std::size_t h = 0; h < problem.heads; ++h) {
    for (std::size_t r = 0; r < problem.rows; ++r) {
      float* row = weights + (h * head_rows + r) * row_length;
      const std::size_t position = problem.first_position + r;
      const auto [first, last] = problem.sees.keys_of(position, problem.positions()); // [first, last)
      const float* query = problem.queries + r * problem.row_stride + h * problem.head_width;
      for (std::size_t t = first / key_tile * key_tile; t < last; t += key_tile) {
        with_cache_type(cache.type, [&]<class T>(T) {
          detail::score_tile<1, true>(query, problem.row_stride, head_of<T>(cache, h / problem.group()), t,
                                      problem.head_width, problem.scale, scores);
        });
        const std::size_t begin = std::max(first, t), count = std::min(t + key_tile, last) - begin;
        std::copy_n(scores + (begin - t), count, row + begin);
      }
      if (problem.soft_cap > 0 || problem.bias.at_zero)
        detail::adjust_scores(row + first, last - first, 1.0f, problem.soft_cap,
                              problem.bias.at_zero ? problem.bias.at_zero + problem.bias.offset(h, position) +
                                                         static_cast<std::ptrdiff_t>(first)
                                                   : nullptr);
      double total = 0;
      const float most = *std::max_element(row + first, row + last);
      for (std::size_t j = first; j < last; ++j)
        total += static_cast<double>(row[j] = std::exp(row[j] - most));
      for (std::size_t j = first; j < last; ++j) row[j] = static_cast<float>(row[j] / total);
      std::fill(row, row + first, 0.0f);
      std::fill(row + last, row + row_length, 0.0f);
    }
  }
}

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA
