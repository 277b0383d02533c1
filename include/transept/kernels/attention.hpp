// Causal scaled dot-product attention over a cache (Vaswani et al. 2017, eq. 1), one head at a time:
//
//   out(i) = Σⱼ≤ᵢ pᵢⱼ v(j),   pᵢ = softmaxⱼ(scale · q(i) · k(j))
//
// with a streaming softmax (Milakov & Gimelshein 2018; Dao et al. 2022): keys pass in tiles of `key_tile`
// positions, a running maximum and sum are kept, so no row of scores is ever stored, let alone context ×
// context of them.
//
// The cache may hold f32, bf16 or int8 (cache_layout.hpp); sums are f32. Tiles begin at multiples of key_tile
// from position 0, so a query's result does not depend on which other queries come with it: a prompt fed
// whole, in chunks or token by token gives the same bits.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

#include <transept/kernels/attention_tile.hpp>
#include <transept/runtime/compute_context.hpp>

namespace transept::inline TRANSEPT_ABI::kernels {

/// Queries: row r, head h begins at data + r · row_stride + h · head_width; row r is at position first + r.
struct attention_problem {
  const float* queries;
  std::size_t row_stride, rows, first_position;
  std::size_t heads, head_width;
  float scale;
};

/// out [rows, heads · head_width]: attention of every query over positions 0 … its own, which the cache
/// must already hold.
inline void attend(compute_context& context, const attention_problem& problem, keys_and_values cache,
                   float* out) {
  const std::size_t width = problem.heads * problem.head_width;
  const std::size_t blocks = (problem.rows + detail::query_block - 1) / detail::query_block;
  with_cache_type(cache.type, [&]<class T>(T) {
    // A task is a head and a block of queries; neighbours in a thread's part share the head's keys.
    parallel_for(context.threads, problem.heads * blocks, 1, [&](std::size_t begin, std::size_t end, int) {
      for (std::size_t task = begin; task < end; ++task) {
        const std::size_t head = task / blocks;
        const std::size_t row = task % blocks * detail::query_block;
        detail::attend_queries(problem.queries + row * problem.row_stride + head * problem.head_width,
                               problem.row_stride, std::min(detail::query_block, problem.rows - row),
                               problem.first_position + row, head_of<T>(cache, head), problem.head_width,
                               problem.scale, out + row * width + head * problem.head_width, width);
      }
    });
  });
}

/// One row of a batch: the keys and values of its own sequence, and its position in that.
struct sequence_row {
  keys_and_values cache;
  std::size_t position;
};

/// out [rows, heads · head_width]: the same where every row belongs to a sequence of its own, of_row(r),
/// which is a sequence_row (problem.first_position is not read). The bits are those that each sequence would
/// get alone.
template <class OfRow>
void attend_sequences(compute_context& context, const attention_problem& problem, OfRow&& of_row,
                      float* out) {
  const std::size_t width = problem.heads * problem.head_width;
  parallel_for(
      context.threads, problem.rows * problem.heads, 1, [&](std::size_t begin, std::size_t end, int) {
        for (std::size_t task = begin; task < end; ++task) {
          const std::size_t row = task / problem.heads;
          const std::size_t head = task % problem.heads;
          const sequence_row at = of_row(row);
          with_cache_type(at.cache.type, [&]<class T>(T) {
            detail::attend_queries(problem.queries + row * problem.row_stride + head * problem.head_width,
                                   problem.row_stride, 1, at.position, head_of<T>(at.cache, head),
                                   problem.head_width, problem.scale,
                                   out + row * width + head * problem.head_width, width);
          });
        }
      });
}

/// For looking inside: weights [heads, rows, total] = the attention probabilities themselves, total =
/// first_position + rows, zero where a position is not visible. Row r of head h begins at
/// weights + (h · head_rows + r) · row_length.
inline void attention_weights(const attention_problem& problem, keys_and_values cache, float* weights,
                              std::size_t head_rows, std::size_t row_length) {
  alignas(64) float scores[key_tile];
  for (std::size_t h = 0; h < problem.heads; ++h) {
    for (std::size_t r = 0; r < problem.rows; ++r) {
      float* row = weights + (h * head_rows + r) * row_length;
      const std::size_t visible = problem.first_position + r + 1;
      const float* query = problem.queries + r * problem.row_stride + h * problem.head_width;
      double total = 0;
      for (std::size_t t = 0; t < visible; t += key_tile) {
        with_cache_type(cache.type, [&]<class T>(T) {
          detail::score_tile<1>(query, problem.row_stride, head_of<T>(cache, h), t, problem.head_width,
                                problem.scale, scores);
        });
        std::copy_n(scores, std::min(key_tile, visible - t), row + t);
      }
      const float most = *std::max_element(row, row + visible);
      for (std::size_t j = 0; j < visible; ++j)
        total += static_cast<double>(row[j] = std::exp(row[j] - most));
      for (std::size_t j = 0; j < visible; ++j) row[j] = static_cast<float>(row[j] / total);
      std::fill(row + visible, row + row_length, 0.0f);
    }
  }
}

} // namespace transept::inline TRANSEPT_ABI::kernels
