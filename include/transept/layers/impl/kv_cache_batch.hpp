// What a pass over several sequences asks of each (layers/kv_cache_batch.hpp).
#pragma once

#include <algorithm>
#include <cassert>

#include <transept/kernels/attention.hpp>
#include <transept/layers/kv_cache_batch.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION void append(compute_context& context, kv_cache_batch& batch, std::size_t layer,
                              const float* keys, const float* values, [[maybe_unused]] std::size_t rows,
                              std::size_t row_stride) {
  assert(rows == batch.size());
  for (std::size_t r = 0; r < batch.size(); ++r)
    append(context, batch[r], layer, keys + r * row_stride, values + r * row_stride, 1, row_stride);
}

TRANSEPT_FUNCTION std::size_t text_length(const kv_cache_batch& batch, std::size_t) {
  std::size_t longest = 0;
  for (std::size_t r = 0; r < batch.size(); ++r) longest = std::max(longest, batch[r].length() + 1);
  return longest;
}

TRANSEPT_FUNCTION void attend(compute_context& context, const kernels::attention_problem& problem,
                              const kv_cache_batch& batch, std::size_t layer, float* out) {
  assert(problem.rows == batch.size());
  kernels::attend_sequences(
      context, problem,
      [&](std::size_t row) {
        return kernels::sequence_row{batch[row].layer(layer), position(batch, row)};
      },
      out);
}

TRANSEPT_FUNCTION void advance(kv_cache_batch& batch, [[maybe_unused]] std::size_t rows) {
  assert(rows == batch.size());
  for (std::size_t r = 0; r < batch.size(); ++r) advance(batch[r], 1);
}

} // namespace transept::inline TRANSEPT_ABI
