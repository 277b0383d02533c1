// Relative positions in buckets (T5; Raffel et al. 2020, § 2.1): every head adds to a score a learned number
// for the bucket of key − query. The first half of the buckets are single distances, the others cover ever
// longer stretches, up to max_distance:
//
//   bucket(n) = n,                                                          n < exact = buckets / 2
//             = exact + ⌊log(n / exact) / log(max_distance / exact) · (buckets − exact)⌋,   n ≥ exact
//
// and at most buckets − 1. n = query − key, not below 0; a bidirectional layer has half of the buckets for
// each direction.
#pragma once

#include <cstddef>

#include <transept/core/version.hpp>

namespace transept::inline TRANSEPT_ABI {

/// config.json's relative_attention_num_buckets (at least 2) and relative_attention_max_distance; encoders
/// are bidirectional.
struct relative_buckets {
  bool bidirectional = true; ///< else keys behind the query count as distance 0
  /// How many there are, and how far they reach: the last of a direction has all beyond.
  std::size_t buckets = 32, max_distance = 128;

  /// The bucket of key − query, in [0, buckets); rounded to f32 where transformers is, so that distances at a
  /// bucket's edge fall to the same side.
  std::size_t bucket_of(std::ptrdiff_t distance) const;

  friend bool operator==(const relative_buckets&, const relative_buckets&) = default;
};

/// at_zero[h · head_stride + d] = table [buckets, heads] at (bucket of d, h), for key − query = d from first
/// to last.
TRANSEPT_FUNCTION void fill_relative_buckets(const relative_buckets& how, const float* table,
                                             std::size_t heads, std::ptrdiff_t first, std::ptrdiff_t last,
                                             float* at_zero, std::size_t head_stride);

/// dtable [buckets, heads] += the gradients of what was filled from it, distances in ascending order.
TRANSEPT_FUNCTION void relative_buckets_backward(const relative_buckets& how, const float* dat_zero,
                                                 std::size_t heads, std::ptrdiff_t first, std::ptrdiff_t last,
                                                 std::size_t head_stride, float* dtable);

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/layers/positions/impl/relative_buckets.hpp>
#endif
