// Several sequences decoded together: one forward pass over a row of each, so that the weights are read once
// for all of them. Only attention must know which row is whose, and it asks here.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <span>

#include <transept/layers/kv_cache.hpp>

namespace transept::inline TRANSEPT_ABI {

/// Row r of a forward pass is the next position of the r-th of these caches, which are of one model, lie
/// elsewhere and are all different.
class kv_cache_batch {
public:
  explicit kv_cache_batch(std::span<kv_cache* const> caches) : caches_(caches) {}

  std::size_t size() const { return caches_.size(); }
  kv_cache& operator[](std::size_t row) const { return *caches_[row]; }

private:
  std::span<kv_cache* const> caches_;
};

/// As for a kv_cache; `rows` is one per sequence.
inline void append(compute_context& context, kv_cache_batch& batch, std::size_t layer, const float* keys,
                   const float* values, [[maybe_unused]] std::size_t rows, std::size_t row_stride) {
  assert(rows == batch.size());
  for (std::size_t r = 0; r < batch.size(); ++r)
    append(context, batch[r], layer, keys + r * row_stride, values + r * row_stride, 1, row_stride);
}

/// The position of row `row` in its own sequence.
inline std::size_t position(const kv_cache_batch& batch, std::size_t row) { return batch[row].length(); }

/// Of the longest sequence, behind this pass; and what each can come to.
inline std::size_t text_length(const kv_cache_batch& batch, std::size_t) {
  std::size_t longest = 0;
  for (std::size_t r = 0; r < batch.size(); ++r) longest = std::max(longest, batch[r].length() + 1);
  return longest;
}
inline std::size_t longest_text(const kv_cache_batch& batch) {
  return batch.size() == 0 ? 0 : batch[0].capacity();
}

/// out [rows, heads · head_width]: attention of each row over its own sequence.
inline void attend(compute_context& context, const kernels::attention_problem& problem,
                   const kv_cache_batch& batch, std::size_t layer, float* out) {
  assert(problem.rows == batch.size());
  kernels::attend_sequences(
      context, problem,
      [&](std::size_t row) {
        return kernels::sequence_row{batch[row].layer(layer), position(batch, row)};
      },
      out);
}

/// The position appended to every sequence now counts.
inline void advance(kv_cache_batch& batch, [[maybe_unused]] std::size_t rows) {
  assert(rows == batch.size());
  for (std::size_t r = 0; r < batch.size(); ++r) advance(batch[r], 1);
}

static_assert(key_value_cache<kv_cache> && key_value_cache<kv_cache_batch>);

} // namespace transept::inline TRANSEPT_ABI
