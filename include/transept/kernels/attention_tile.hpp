// One head's attention for a few queries, tile after tile of keys: what attention.hpp divides over threads.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include <transept/kernels/cache_layout.hpp>
#include <transept/simd/math.hpp>
#include <transept/simd/unroll.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::detail {

/// Queries whose scores are computed together, so that eight sums are in flight.
inline constexpr std::size_t query_tile = std::max<std::size_t>(1, 8 * simd::width / key_tile);
inline constexpr std::size_t batches_per_tile = key_tile / simd::width;

/// scores [Queries][key_tile] = scale · q · k over the tile of keys at position `first`, d ascending.
template <std::size_t Queries, class T>
void score_tile(const float* queries, std::size_t row_stride, const head_cache<T>& cache, std::size_t first,
                std::size_t head_width, float scale, float* scores) {
  const T* const keys = cache.keys + first * head_width;
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
  float total = 0.0f;
};

/// Takes the tile at position `first` into the state: turns `count` scores into weights (the rest of the tile
/// into 0) and out [head_width] into out · correction + Σ weight · value, values ascending.
template <class T>
void take_tile(streaming_softmax& state, float* scores, std::size_t count, const head_cache<T>& cache,
               std::size_t first, std::size_t head_width, float* out) {
  const T* const values = cache.values + first * head_width;
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
  if constexpr (head_cache<T>::is_scaled)
    for (std::size_t j = 0; j < count; ++j) scores[j] *= cache.value_scales[first + j];

  constexpr std::size_t group = 4; // batches of the output held in registers over the whole tile
  const simd::batch rescale = simd::broadcast(correction);
  std::size_t d = 0;
  for (; d + group * simd::width <= head_width; d += group * simd::width) {
    simd::batch sums[group];
    simd::unroll<group>([&](auto g) { sums[g] = simd::load(out + d + g * simd::width) * rescale; });
    for (std::size_t j = 0; j < count; ++j) {
      const simd::batch weight = simd::broadcast(scores[j]);
      const T* value = values + j * head_width + d;
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
template <std::size_t Queries, class T>
void attend_queries(const float* queries, std::size_t row_stride, std::size_t first,
                    const head_cache<T>& cache, std::size_t head_width, float scale, float* out,
                    std::size_t out_stride) {
  alignas(64) float scores[Queries * key_tile];
  streaming_softmax states[Queries];
  for (std::size_t q = 0; q < Queries; ++q) std::fill_n(out + q * out_stride, head_width, 0.0f);
  for (std::size_t t = 0; t < first + Queries; t += key_tile) {
    score_tile<Queries>(queries, row_stride, cache, t, head_width, scale, scores);
    for (std::size_t q = 0; q < Queries; ++q) {
      const std::size_t visible = first + q + 1; // positions this query sees: 0 … first + q
      if (visible <= t) continue;
      take_tile(states[q], scores + q * key_tile, std::min(key_tile, visible - t), cache, t, head_width,
                out + q * out_stride);
    }
  }
  for (std::size_t q = 0; q < Queries; ++q) {
    const float scale_out = 1.0f / states[q].total;
    for (std::size_t d = 0; d < head_width; ++d) out[q * out_stride + d] *= scale_out;
  }
}

} // namespace transept::inline TRANSEPT_ABI::kernels::detail
