// Attention of a block of queries that share a head of keys and values, tile after tile of these: what
// attention.hpp divides over threads.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include <transept/kernels/cache_layout.hpp>
#include <transept/kernels/distance_bias.hpp>
#include <transept/kernels/vector/attention_scores.hpp>
#include <transept/kernels/vector/prefetch.hpp>
#include <transept/kernels/visibility.hpp>
#include <transept/simd/math.hpp>
#include <transept/simd/unroll.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

static_assert(key_tile % simd::width == 0);

/// One head's, of known type.
template <class T>
struct head_cache {
  const T* keys;
  const T* values;
  const float* key_scales;
  const float* value_scales;
  static constexpr bool is_scaled = sizeof(T) == 1;
};

template <class T>
head_cache<T> head_of(const keys_and_values& cache, std::size_t head) {
  head_cache<T> result{static_cast<const T*>(cache.keys) + head * cache.head_stride,
                       static_cast<const T*>(cache.values) + head * cache.head_stride, nullptr, nullptr};
  if constexpr (head_cache<T>::is_scaled) {
    result.key_scales = cache.key_scales + head * cache.scale_stride;
    result.value_scales = cache.value_scales + head * cache.scale_stride;
  }
  return result;
}

namespace detail {

/// Queries whose sums are held in registers together: eight sums in flight, or sixteen where there is room.
inline constexpr std::size_t query_tile =
    std::max<std::size_t>(1, simd::registers / 2 * simd::width / key_tile);
/// Queries, of several positions and heads, that take a tile of keys and values while it lies in the
/// first-level cache.
inline constexpr std::size_t query_block = 128;
inline constexpr std::size_t most_block_rows = 16;

inline constexpr std::size_t batches_per_tile = key_tile / simd::width;

/// Who reads keys and values from memory for few queries fetches those of the next tile meanwhile.
template <bool Fetching, class T>
TRANSEPT_ALWAYS_INLINE inline void prefetch_numbers(const T* from, std::size_t ahead, std::size_t count) {
  if constexpr (Fetching)
    for (std::size_t i = 0; i < count; i += cache_line / sizeof(T)) prefetch(from, ahead + i);
}

/// scores [Queries][key_tile] = scale · q · k over the tile of keys at position `first`, d ascending.
template <std::size_t Queries, bool Fetching, class T>
void score_tile(const float* queries, std::size_t row_stride, const head_cache<T>& cache, std::size_t first,
                std::size_t head_width, float scale, float* scores) {
  const T* const keys = cache.keys + first * head_width;
  simd::batch sums[Queries * batches_per_tile];
  simd::unroll<Queries * batches_per_tile>([&](auto i) { sums[i] = simd::broadcast(0.0f); });
  for (std::size_t d = 0; d < head_width; ++d) {
    prefetch_numbers<Fetching>(keys + d * key_tile, key_tile * head_width, key_tile);
    simd::unroll<batches_per_tile>([&](auto b) TRANSEPT_ALWAYS_INLINE {
      const simd::batch key = simd::in_register(simd::load(keys + d * key_tile + b * simd::width));
      simd::unroll<Queries>([&](auto q) TRANSEPT_ALWAYS_INLINE {
        auto& sum = sums[q * batches_per_tile + b];
        sum = simd::fma(simd::broadcast(queries[q * row_stride + d]), key, sum);
      });
    });
  }
  simd::unroll<Queries * batches_per_tile>([&](auto i) {
    simd::batch factor = simd::broadcast(scale);
    if constexpr (head_cache<T>::is_scaled)
      factor = factor * simd::load(cache.key_scales + first + i % batches_per_tile * simd::width);
    simd::store(scores + i * simd::width, sums[i] * factor);
  });
}

/// The running state of one query's softmax, uninitialised (a block has room for many).
struct streaming_softmax {
  float most;
  simd::batch total; ///< in as many partial sums as it has lanes

  void start() {
    most = -std::numeric_limits<float>::infinity();
    total = simd::broadcast(0.0f);
  }
};

/// Takes the scores of a tile into the states: turns those in sees[q], a range within the tile, into weights
/// (the others into 0). corrections [Queries]: what the sums so far must be multiplied by.
template <std::size_t Queries>
void weigh_scores(streaming_softmax* states, float* scores, const key_range* sees, float* corrections) {
  static_assert(Queries <= simd::width);
  constexpr float none = -std::numeric_limits<float>::infinity();
  alignas(64) float lowered[simd::width] = {}; // by how much, as its greatest score grew, a query's weights
  bool any = false;
  for (std::size_t q = 0; q < Queries; ++q) {
    if (sees[q].begin == sees[q].end) continue;
    float* const its = scores + q * key_tile;
    if (sees[q].begin > 0) std::fill(its, its + sees[q].begin, none);
    if (sees[q].end < key_tile) std::fill(its + sees[q].end, its + key_tile, none);
    simd::batch tile_most = simd::load(its);
    for (std::size_t i = simd::width; i < key_tile; i += simd::width)
      tile_most = simd::max(tile_most, simd::load(its + i));
    if (const float most = simd::greatest(tile_most); most > states[q].most) {
      lowered[q] = states[q].most - most; // −∞ at the first tile
      states[q].most = most;
      any = true;
    }
  }
  const simd::batch factors = any ? simd::exp(simd::load(lowered)) : simd::broadcast(1.0f);
  simd::store(lowered, factors);
  for (std::size_t q = 0; q < Queries; ++q) {
    corrections[q] = lowered[q];
    if (sees[q].begin == sees[q].end) continue;
    float* const its = scores + q * key_tile;
    const simd::batch most = simd::broadcast(states[q].most);
    simd::batch total = states[q].total * simd::broadcast(lowered[q]);
    for (std::size_t i = 0; i < key_tile; i += simd::width) {
      const simd::batch weight = simd::exp(simd::load(its + i) - most);
      simd::store(its + i, weight);
      total += weight;
    }
    states[q].total = total;
  }
}

/// What all of the queries see of a tile; empty, and behind it, if that is nothing.
template <std::size_t Queries>
key_range seen_by_all(const key_range* sees) {
  key_range common = sees[0];
  for (std::size_t q = 1; q < Queries; ++q)
    common = {std::max(common.begin, sees[q].begin), std::min(common.end, sees[q].end)};
  return common.begin < common.end ? common : key_range{key_tile, key_tile};
}

/// out rows = out · corrections[q] + Σ weight · value over what query q sees of the tile at position `first`,
/// values ascending. weights [Queries][key_tile].
template <std::size_t Queries, bool Fetching, class T>
void add_values(const float* weights, const key_range* sees, const float* corrections,
                const head_cache<T>& cache, std::size_t first, std::size_t head_width, float* out,
                std::size_t out_stride) {
  const T* const values = cache.values + first * head_width;
  const key_range common = seen_by_all<Queries>(sees);
  // Batches of each output held in registers over the whole tile; 64 numbers are GPT-2's heads.
  constexpr std::size_t group = std::min(simd::registers / 2 / Queries, 64 / simd::width);
  std::size_t d = 0;
  for (; d + group * simd::width <= head_width; d += group * simd::width) {
    simd::batch sums[Queries * group];
    const auto add_alone = [&](auto q, std::size_t j, std::size_t end) TRANSEPT_ALWAYS_INLINE {
      for (; j < end; ++j) {
        const simd::batch weight = simd::broadcast(weights[q * key_tile + j]);
        const T* const value = values + j * head_width + d;
        simd::unroll<group>([&](auto g) TRANSEPT_ALWAYS_INLINE {
          sums[q * group + g] = simd::fma(weight, simd::load(value + g * simd::width), sums[q * group + g]);
        });
      }
    };
    simd::unroll<Queries>([&](auto q) TRANSEPT_ALWAYS_INLINE {
      const simd::batch rescale = simd::broadcast(corrections[q]);
      simd::unroll<group>([&](auto g) TRANSEPT_ALWAYS_INLINE {
        sums[q * group + g] = simd::load(out + q * out_stride + d + g * simd::width) * rescale;
      });
      if constexpr (Queries > 1) add_alone(q, sees[q].begin, std::min(sees[q].end, common.begin));
    });
    for (std::size_t j = common.begin; j < common.end; ++j) {
      const T* const value = values + j * head_width + d;
      prefetch_numbers<Fetching>(value, key_tile * head_width, group * simd::width);
      simd::batch weight[Queries];
      simd::unroll<Queries>(
          [&](auto q) TRANSEPT_ALWAYS_INLINE { weight[q] = simd::broadcast(weights[q * key_tile + j]); });
      simd::unroll<group>([&](auto g) TRANSEPT_ALWAYS_INLINE {
        const simd::batch part = simd::in_register(simd::load(value + g * simd::width));
        simd::unroll<Queries>([&](auto q) TRANSEPT_ALWAYS_INLINE {
          sums[q * group + g] = simd::fma(weight[q], part, sums[q * group + g]);
        });
      });
    }
    simd::unroll<Queries>([&](auto q) TRANSEPT_ALWAYS_INLINE {
      if constexpr (Queries > 1) add_alone(q, common.end, sees[q].end);
      simd::unroll<group>([&](auto g) TRANSEPT_ALWAYS_INLINE {
        simd::store(out + q * out_stride + d + g * simd::width, sums[q * group + g]);
      });
    });
  }
  for (; d < head_width; d += simd::width) {
    const std::size_t lanes = std::min(simd::width, head_width - d);
    for (std::size_t q = 0; q < Queries; ++q) {
      float* const to = out + q * out_stride + d;
      simd::batch sum = simd::load_partial(to, lanes) * simd::broadcast(corrections[q]);
      for (std::size_t j = sees[q].begin; j < sees[q].end; ++j)
        sum = simd::fma(simd::broadcast(weights[q * key_tile + j]),
                        simd::load_partial(values + j * head_width + d, lanes), sum);
      simd::store_partial(to, sum, lanes);
    }
  }
}

/// What is done with the scores of all queries: attention_scores.hpp.
struct score_rule {
  float scale, soft_cap;
  const float* bias; ///< the heads' at_zero, or null
};

/// Queries at equal steps in everything: successive rows of one head, or successive heads of one row.
struct query_line {
  const float* query;
  float* out;
  const key_range* sees; ///< of the whole cache
  std::ptrdiff_t bias;   ///< of the key at position 0 from score_rule::bias
  std::size_t query_step, out_step, sees_step;
  std::ptrdiff_t bias_step;
  streaming_softmax* states;
};

/// One tile of keys and values, at position `t`, for `Queries` queries of a line from query `first` on, if
/// any of them sees some of it.
template <std::size_t Queries, bool Fetching, class T>
void take_tile(const query_line& line, std::size_t first, const head_cache<T>& cache, std::size_t t,
               std::size_t head_width, const score_rule& rule) {
  alignas(64) float scores[Queries * key_tile];
  key_range sees[Queries]; // of this tile
  float corrections[Queries];
  bool any = false;
  for (std::size_t q = 0; q < Queries; ++q) {
    const key_range all = line.sees[(first + q) * line.sees_step];
    const std::size_t end = all.end <= t ? 0 : std::min(key_tile, all.end - t);
    sees[q] = {std::min(all.begin <= t ? 0 : all.begin - t, end), end};
    any = any || sees[q].begin < end;
  }
  if (!any) return;
  score_tile<Queries, Fetching>(line.query + first * line.query_step, line.query_step, cache, t, head_width,
                                rule.scale, scores);
  if (rule.soft_cap > 0 || rule.bias)
    for (std::size_t q = 0; q < Queries; ++q) {
      const std::ptrdiff_t entry = line.bias + static_cast<std::ptrdiff_t>(first + q) * line.bias_step +
                                   static_cast<std::ptrdiff_t>(t + sees[q].begin);
      adjust_scores(scores + q * key_tile + sees[q].begin, sees[q].end - sees[q].begin, 1.0f, rule.soft_cap,
                    rule.bias ? rule.bias + entry : nullptr);
    }
  weigh_scores<Queries>(line.states + first, scores, sees, corrections);
  if constexpr (head_cache<T>::is_scaled)
    for (std::size_t q = 0; q < Queries; ++q)
      for (std::size_t j = sees[q].begin; j < sees[q].end; ++j)
        scores[q * key_tile + j] *= cache.value_scales[t + j];
  add_values<Queries, Fetching>(scores, sees, corrections, cache, t, head_width,
                                line.out + first * line.out_step, line.out_step);
}

/// Queries of `rows` successive positions from `first` on and of `heads` successive heads, which all read the
/// same head of keys and values; rows · heads ≤ query_block. Row r and head h begin at queries + r ·
/// row_stride + h · head_width, and so does what is written to `out`.
struct attention_block {
  const float* queries;
  std::size_t row_stride, rows, first, first_head, heads, head_width;
  float* out;
  std::size_t out_stride;
  visibility sees;
  std::size_t length; ///< positions that the cache holds
};

template <class T>
void attend_block(const attention_block& block, const score_rule& rule, const distance_bias& bias,
                  const head_cache<T>& cache) {
  const std::size_t width = block.head_width;
  streaming_softmax states[query_block];
  key_range sees[query_block];
  key_range any{block.length, 0};
  for (std::size_t r = 0; r < block.rows; ++r) {
    sees[r] = block.sees.keys_of(block.first + r, block.length);
    any = {std::min(any.begin, sees[r].begin), std::max(any.end, sees[r].end)};
    std::fill_n(block.out + r * block.out_stride, block.heads * width, 0.0f);
  }
  for (std::size_t q = 0; q < block.rows * block.heads; ++q) states[q].start();

  // Rows of a head make register tiles, or, where there are too few of them, heads of a row.
  const bool by_heads = block.rows < query_tile;
  const std::size_t lines = by_heads ? block.rows : block.heads;
  const std::size_t line_length = by_heads ? block.heads : block.rows;
  const auto line = [&](std::size_t i) {
    const std::size_t row = by_heads ? i : 0, head = by_heads ? 0 : i;
    return query_line{.query = block.queries + row * block.row_stride + head * width,
                      .out = block.out + row * block.out_stride + head * width,
                      .sees = sees + row,
                      .bias = bias.offset(block.first_head + head, block.first + row),
                      .query_step = by_heads ? width : block.row_stride,
                      .out_step = by_heads ? width : block.out_stride,
                      .sees_step = by_heads ? std::size_t{0} : std::size_t{1},
                      .bias_step =
                          by_heads ? static_cast<std::ptrdiff_t>(bias.head_stride) : std::ptrdiff_t{-1},
                      .states = states + i * line_length};
  };
  query_line queries = line(0);
  for (std::size_t t = any.begin / key_tile * key_tile; t < any.end; t += key_tile)
    for (std::size_t i = 0; i < lines; ++i) {
      if (lines > 1) queries = line(i);
      simd::in_tiles<query_tile>(line_length, [&](std::size_t q, auto size) {
        if (size == 1 || (block.rows == 1 && q == 0))
          take_tile<size, true>(queries, q, cache, t, width, rule);
        else
          take_tile<size, size == 1>(queries, q, cache, t, width, rule);
      });
    }
  for (std::size_t i = 0; i < lines; ++i) {
    queries = line(i);
    for (std::size_t q = 0; q < line_length; ++q) {
      const float scale_out = 1.0f / simd::sum(queries.states[q].total);
      float* const out = queries.out + q * queries.out_step;
      for (std::size_t d = 0; d < width; ++d) out[d] *= scale_out;
    }
  }
}

} // namespace detail
} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA
