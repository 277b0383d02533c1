// One head's attention for a few queries, tile after tile of keys: what attention.hpp divides over threads.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include <transept/kernels/cache_layout.hpp>
#include <transept/kernels/prefetch.hpp>
#include <transept/simd/math.hpp>
#include <transept/simd/unroll.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::detail {

/// Queries whose sums are held in registers together: eight sums in flight, or sixteen where there is room.
inline constexpr std::size_t query_tile =
    std::max<std::size_t>(1, simd::registers / 2 * simd::width / key_tile);
/// Queries that take a tile of keys and values while it lies in the first-level cache.
inline constexpr std::size_t query_block = 16;
static_assert(query_block % query_tile == 0);

inline constexpr std::size_t batches_per_tile = key_tile / simd::width;

/// A single query reads keys and values from memory: those of the next tile are fetched meanwhile.
template <std::size_t Queries, class T>
TRANSEPT_ALWAYS_INLINE inline void prefetch_numbers(const T* from, std::size_t ahead, std::size_t count) {
  if constexpr (Queries == 1)
    for (std::size_t i = 0; i < count; i += cache_line / sizeof(T)) prefetch(from, ahead + i);
}

/// scores [Queries][key_tile] = scale · q · k over the tile of keys at position `first`, d ascending.
template <std::size_t Queries, class T>
void score_tile(const float* queries, std::size_t row_stride, const head_cache<T>& cache, std::size_t first,
                std::size_t head_width, float scale, float* scores) {
  const T* const keys = cache.keys + first * head_width;
  simd::batch sums[Queries * batches_per_tile];
  simd::unroll<Queries * batches_per_tile>([&](auto i) { sums[i] = simd::broadcast(0.0f); });
  for (std::size_t d = 0; d < head_width; ++d) {
    prefetch_numbers<Queries>(keys + d * key_tile, key_tile * head_width, key_tile);
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

/// The running state of one query's softmax.
struct streaming_softmax {
  float most = -std::numeric_limits<float>::infinity();
  simd::batch total = simd::broadcast(0.0f); ///< in as many partial sums as it has lanes
};

/// Takes the scores of a tile into the states: turns counts[q] of them into weights (the rest of the tile
/// into 0). corrections [Queries]: what the sums so far must be multiplied by.
template <std::size_t Queries>
void weigh_scores(streaming_softmax* states, float* scores, const std::size_t* counts, float* corrections) {
  static_assert(Queries <= simd::width);
  alignas(64) float lowered[simd::width] = {}; // by how much, as its greatest score grew, a query's weights
  bool any = false;
  for (std::size_t q = 0; q < Queries; ++q) {
    if (counts[q] == 0) continue;
    float* const its = scores + q * key_tile;
    if (counts[q] < key_tile)
      std::fill(its + counts[q], its + key_tile, -std::numeric_limits<float>::infinity());
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
    if (counts[q] == 0) continue;
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

/// out rows = out · corrections[q] + Σ weight · value over the tile at position `first`, values ascending:
/// counts[q] of them for query q, not fewer than for query 0. weights [Queries][key_tile].
template <std::size_t Queries, class T>
void add_values(const float* weights, const std::size_t* counts, const float* corrections,
                const head_cache<T>& cache, std::size_t first, std::size_t head_width, float* out,
                std::size_t out_stride) {
  const T* const values = cache.values + first * head_width;
  // Batches of each output held in registers over the whole tile; 64 numbers are GPT-2's heads.
  constexpr std::size_t group = std::min(simd::registers / 2 / Queries, 64 / simd::width);
  std::size_t d = 0;
  for (; d + group * simd::width <= head_width; d += group * simd::width) {
    simd::batch sums[Queries * group];
    simd::unroll<Queries>([&](auto q) TRANSEPT_ALWAYS_INLINE {
      const simd::batch rescale = simd::broadcast(corrections[q]);
      simd::unroll<group>([&](auto g) TRANSEPT_ALWAYS_INLINE {
        sums[q * group + g] = simd::load(out + q * out_stride + d + g * simd::width) * rescale;
      });
    });
    std::size_t j = 0;
    for (; j < counts[0]; ++j) {
      const T* const value = values + j * head_width + d;
      prefetch_numbers<Queries>(value, key_tile * head_width, group * simd::width);
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
      if constexpr (q > 0)
        for (std::size_t more = j; more < counts[q]; ++more) { // later queries see later values
          const simd::batch weight = simd::broadcast(weights[q * key_tile + more]);
          const T* const value = values + more * head_width + d;
          simd::unroll<group>([&](auto g) TRANSEPT_ALWAYS_INLINE {
            sums[q * group + g] = simd::fma(weight, simd::load(value + g * simd::width), sums[q * group + g]);
          });
        }
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
      for (std::size_t j = 0; j < counts[q]; ++j)
        sum = simd::fma(simd::broadcast(weights[q * key_tile + j]),
                        simd::load_partial(values + j * head_width + d, lanes), sum);
      simd::store_partial(to, sum, lanes);
    }
  }
}

/// One tile of keys and values, at position `t`, for `Queries` queries at positions `first`, first + 1, …,
/// the last of which sees some of it.
template <std::size_t Queries, class T>
void take_tile(streaming_softmax* states, const float* queries, std::size_t row_stride, std::size_t first,
               const head_cache<T>& cache, std::size_t t, std::size_t head_width, float scale, float* out,
               std::size_t out_stride) {
  alignas(64) float scores[Queries * key_tile];
  std::size_t counts[Queries];
  float corrections[Queries];
  score_tile<Queries>(queries, row_stride, cache, t, head_width, scale, scores);
  for (std::size_t q = 0; q < Queries; ++q) {
    const std::size_t visible = first + q + 1; // positions this query sees: 0 … first + q
    counts[q] = visible <= t ? 0 : std::min(key_tile, visible - t);
  }
  weigh_scores<Queries>(states, scores, counts, corrections);
  if constexpr (head_cache<T>::is_scaled)
    for (std::size_t q = 0; q < Queries; ++q)
      for (std::size_t j = 0; j < counts[q]; ++j) scores[q * key_tile + j] *= cache.value_scales[t + j];
  add_values<Queries>(scores, counts, corrections, cache, t, head_width, out, out_stride);
}

/// out rows (`out_stride` apart) for `count` (≤ query_block) queries at positions `first`, first + 1, ….
template <class T>
void attend_queries(const float* queries, std::size_t row_stride, std::size_t count, std::size_t first,
                    const head_cache<T>& cache, std::size_t head_width, float scale, float* out,
                    std::size_t out_stride) {
  streaming_softmax states[query_block];
  for (std::size_t q = 0; q < count; ++q) std::fill_n(out + q * out_stride, head_width, 0.0f);
  for (std::size_t t = 0; t < first + count; t += key_tile) {
    simd::in_tiles<query_tile>(count, [&](std::size_t q, auto size) {
      if (t < first + q + size)
        take_tile<size>(states + q, queries + q * row_stride, row_stride, first + q, cache, t, head_width,
                        scale, out + q * out_stride, out_stride);
    });
  }
  for (std::size_t q = 0; q < count; ++q) {
    const float scale_out = 1.0f / simd::sum(states[q].total);
    for (std::size_t d = 0; d < head_width; ++d) out[q * out_stride + d] *= scale_out;
  }
}

} // namespace transept::inline TRANSEPT_ABI::kernels::detail
