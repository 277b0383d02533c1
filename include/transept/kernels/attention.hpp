// Causal scaled dot-product attention over a cache (Vaswani et al. 2017, eq. 1), one head at a time:
//
//   out(i) = Σⱼ≤ᵢ pᵢⱼ v(j),   pᵢ = softmaxⱼ(scale · q(i) · k(j))
//
// with a streaming softmax (Milakov & Gimelshein 2018; Dao et al. 2022): keys pass in tiles of `key_tile`
// positions, a running maximum and sum are kept, so no row of scores is ever stored, let alone context ×
// context of them.
//
// Layout. Keys lie transposed within a tile, [tile][head_width][key_tile], so that a tile's scores are
// key_tile independent sums, vectorised across positions; values lie as rows, [position][head_width]. Tiles
// begin at multiples of key_tile from position 0, so a query's result does not depend on which other queries
// come with it: a prompt fed whole, in chunks or token by token gives the same bits.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include <transept/runtime/compute_context.hpp>
#include <transept/simd/math.hpp>
#include <transept/simd/unroll.hpp>

namespace transept::inline TRANSEPT_ABI::kernels {

/// Positions in a tile of keys: a multiple of every vector width.
inline constexpr std::size_t key_tile = 32;
static_assert(key_tile % simd::width == 0);

/// The keys and values of one layer: heads lie `head_stride` floats apart, with room for whole tiles.
struct keys_and_values {
  const float* keys;
  const float* values;
  std::size_t head_stride;
};

/// Queries: row r, head h begins at data + r · row_stride + h · head_width; row r is at position first + r.
struct attention_problem {
  const float* queries;
  std::size_t row_stride, rows, first_position;
  std::size_t heads, head_width;
  float scale;
};

namespace detail {

/// Queries whose scores are computed together, so that eight sums are in flight.
inline constexpr std::size_t query_tile = std::max<std::size_t>(1, 8 * simd::width / key_tile);
inline constexpr std::size_t batches_per_tile = key_tile / simd::width;

/// scores [Queries][key_tile] = scale · q · k over one tile of keys, d ascending.
template <std::size_t Queries>
void score_tile(const float* queries, std::size_t row_stride, const float* keys, std::size_t head_width,
                float scale, float* scores) {
  simd::batch sums[Queries * batches_per_tile];
  simd::unroll<Queries * batches_per_tile>([&](auto i) { sums[i] = simd::broadcast(0.0f); });
  for (std::size_t d = 0; d < head_width; ++d) {
    simd::unroll<batches_per_tile>([&](auto b) {
      const simd::batch key = simd::load(keys + d * key_tile + b * simd::width);
      simd::unroll<Queries>([&](auto q) {
        auto& sum = sums[q * batches_per_tile + b];
        sum = simd::fma(simd::broadcast(queries[q * row_stride + d]), key, sum);
      });
    });
  }
  simd::unroll<Queries * batches_per_tile>(
      [&](auto i) { simd::store(scores + i * simd::width, sums[i] * simd::broadcast(scale)); });
}

/// The running state of one query's softmax.
struct streaming_softmax {
  float most = -std::numeric_limits<float>::infinity();
  float total = 0.0f;
};

/// Takes one tile into the state: turns `count` scores into weights (the rest of the tile into 0) and
/// out [head_width] into out · correction + Σ weight · value, values ascending.
inline void take_tile(streaming_softmax& state, float* scores, std::size_t count, const float* values,
                      std::size_t head_width, float* out) {
  std::fill(scores + count, scores + key_tile, -std::numeric_limits<float>::infinity());
  simd::batch tile_most = simd::load(scores);
  for (std::size_t i = simd::width; i < key_tile; i += simd::width)
    tile_most = simd::max(tile_most, simd::load(scores + i));
  const float most = std::max(state.most, simd::greatest(tile_most));
  const float correction = std::exp(state.most - most); // 0 for the first tile
  simd::batch partial = simd::broadcast(0.0f);
  for (std::size_t i = 0; i < key_tile; i += simd::width) {
    const simd::batch weight = simd::exp(simd::load(scores + i) - simd::broadcast(most));
    simd::store(scores + i, weight);
    partial += weight;
  }
  state.total = state.total * correction + simd::sum(partial);
  state.most = most;

  constexpr std::size_t group = 4; // batches of the output held in registers over the whole tile
  const simd::batch rescale = simd::broadcast(correction);
  std::size_t d = 0;
  for (; d + group * simd::width <= head_width; d += group * simd::width) {
    simd::batch sums[group];
    simd::unroll<group>([&](auto g) { sums[g] = simd::load(out + d + g * simd::width) * rescale; });
    for (std::size_t j = 0; j < count; ++j) {
      const simd::batch weight = simd::broadcast(scores[j]);
      const float* value = values + j * head_width + d;
      simd::unroll<group>(
          [&](auto g) { sums[g] = simd::fma(weight, simd::load(value + g * simd::width), sums[g]); });
    }
    simd::unroll<group>([&](auto g) { simd::store(out + d + g * simd::width, sums[g]); });
  }
  for (; d < head_width; d += simd::width) {
    const std::size_t lanes = std::min(simd::width, head_width - d);
    simd::batch sum = simd::load_partial(out + d, lanes) * rescale;
    for (std::size_t j = 0; j < count; ++j)
      sum =
          simd::fma(simd::broadcast(scores[j]), simd::load_partial(values + j * head_width + d, lanes), sum);
    simd::store_partial(out + d, sum, lanes);
  }
}

/// out rows (`out_stride` apart) for `Queries` queries at positions `first`, first + 1, ….
template <std::size_t Queries>
void attend_queries(const float* queries, std::size_t row_stride, std::size_t first, const float* keys,
                    const float* values, std::size_t head_width, float scale, float* out,
                    std::size_t out_stride) {
  alignas(64) float scores[Queries * key_tile];
  streaming_softmax states[Queries];
  for (std::size_t q = 0; q < Queries; ++q) std::fill_n(out + q * out_stride, head_width, 0.0f);
  for (std::size_t t = 0; t < first + Queries; t += key_tile) {
    score_tile<Queries>(queries, row_stride, keys + t * head_width, head_width, scale, scores);
    for (std::size_t q = 0; q < Queries; ++q) {
      const std::size_t visible = first + q + 1; // positions this query sees: 0 … first + q
      if (visible <= t) continue;
      take_tile(states[q], scores + q * key_tile, std::min(key_tile, visible - t), values + t * head_width,
                head_width, out + q * out_stride);
    }
  }
  for (std::size_t q = 0; q < Queries; ++q) {
    const float scale_out = 1.0f / states[q].total;
    for (std::size_t d = 0; d < head_width; ++d) out[q * out_stride + d] *= scale_out;
  }
}

} // namespace detail

/// out [rows, heads · head_width]: attention of every query over positions 0 … its own, which the cache
/// must already hold.
inline void attend(compute_context& context, const attention_problem& problem, keys_and_values cache,
                   float* out) {
  const std::size_t width = problem.heads * problem.head_width;
  const std::size_t groups = (problem.rows + detail::query_tile - 1) / detail::query_tile;
  // A task is a head and a group of queries; neighbours in a thread's part share the head's keys.
  parallel_for(context.threads, problem.heads * groups, 1, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t task = begin; task < end; ++task) {
      const std::size_t head = task / groups;
      const std::size_t row = task % groups * detail::query_tile;
      const std::size_t position = problem.first_position + row;
      const float* queries = problem.queries + row * problem.row_stride + head * problem.head_width;
      const float* keys = cache.keys + head * cache.head_stride;
      const float* values = cache.values + head * cache.head_stride;
      float* to = out + row * width + head * problem.head_width;
      if (row + detail::query_tile <= problem.rows) {
        detail::attend_queries<detail::query_tile>(queries, problem.row_stride, position, keys, values,
                                                   problem.head_width, problem.scale, to, width);
      } else {
        for (std::size_t q = 0; row + q < problem.rows; ++q)
          detail::attend_queries<1>(queries + q * problem.row_stride, problem.row_stride, position + q, keys,
                                    values, problem.head_width, problem.scale, to + q * width, width);
      }
    }
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
          detail::attend_queries<1>(problem.queries + row * problem.row_stride + head * problem.head_width,
                                    problem.row_stride, at.position,
                                    at.cache.keys + head * at.cache.head_stride,
                                    at.cache.values + head * at.cache.head_stride, problem.head_width,
                                    problem.scale, out + row * width + head * problem.head_width, width);
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
        detail::score_tile<1>(query, problem.row_stride,
                              cache.keys + h * cache.head_stride + t * problem.head_width, problem.head_width,
                              problem.scale, scores);
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
