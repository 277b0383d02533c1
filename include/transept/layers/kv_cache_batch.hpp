// Several sequences decoded together: one forward pass over a row of each, so that the weights are read once
// for all of them. Only attention must know which row is whose, and it asks here.
#pragma once

#include <cstddef>
#include <span>

#include <transept/layers/kv_cache.hpp>

namespace transept::inline TRANSEPT_ABI {

/// Row r of a forward pass is the next position of the r-th of these caches, which are of one model, lie
/// elsewhere and are all different.
class kv_cache_batch {
public:
  /// The caches, and the list of them, must outlive it.
  explicit kv_cache_batch(std::span<kv_cache* const> caches) : caches_(caches) {}

  std::size_t size() const { return caches_.size(); }                   ///< sequences: rows of a pass
  kv_cache& operator[](std::size_t row) const { return *caches_[row]; } ///< the cache of row `row`

private:
  std::span<kv_cache* const> caches_;
};

/// As for a kv_cache; `rows` is one per sequence.
TRANSEPT_FUNCTION void append(compute_context& context, kv_cache_batch& batch, std::size_t layer,
                              const float* keys, const float* values, std::size_t rows,
                              std::size_t row_stride);

/// The position of row `row` in its own sequence.
inline std::size_t position(const kv_cache_batch& batch, std::size_t row) { return batch[row].length(); }

/// Of the longest sequence, behind this pass; 0 if there is none.
TRANSEPT_FUNCTION std::size_t text_length(const kv_cache_batch& batch, std::size_t rows);

/// What each sequence can come to: the first one's capacity, which a batch gives to all; 0 if there is none.
inline std::size_t longest_text(const kv_cache_batch& batch) {
  return batch.size() == 0 ? 0 : batch[0].capacity();
}

/// out [rows, heads · head_width]: attention of each row over its own sequence.
TRANSEPT_FUNCTION void attend(compute_context& context, const kernels::attention_problem& problem,
                              const kv_cache_batch& batch, std::size_t layer, float* out);

/// The position appended to every sequence now counts.
TRANSEPT_FUNCTION void advance(kv_cache_batch& batch, std::size_t rows);

static_assert(key_value_cache<kv_cache> && key_value_cache<kv_cache_batch>);

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/layers/impl/kv_cache_batch.hpp>
#endif
