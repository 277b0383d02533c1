// What of attention knows no extents (layers/attention.hpp).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

#include <transept/kernels/rotary.hpp>
#include <transept/layers/attention.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

TRANSEPT_FUNCTION kernels::head_rows heads_in_rows(const attention_extents& e, extent rows, extent heads) {
  const auto size = [](extent n) { return static_cast<std::size_t>(n); };
  return {.rows = size(rows),
          .row_stride = size(e.queries_keys_values()),
          .heads = size(heads),
          .head_width = size(e.head_width)};
}

TRANSEPT_FUNCTION void rotate_heads(compute_context& context, const attention_extents& e,
                                    const rotation& rotation, extent rows, float* queries, bool backwards) {
  if (rotation.angles == nullptr) return;
  kernels::rotate(context, heads_in_rows(e, rows, e.heads + e.key_value_heads), rotation.angles,
                  rotation.width, rotation.pairing, queries, backwards);
}

TRANSEPT_FUNCTION void clip(float* x, std::size_t count, float limit) {
  for (std::size_t i = 0; i < count; ++i) x[i] = std::clamp(x[i], -limit, limit);
}

TRANSEPT_FUNCTION void clip_backward(const float* clipped, std::size_t count, float limit, float* dx) {
  for (std::size_t i = 0; i < count; ++i)
    if (std::abs(clipped[i]) >= limit) dx[i] = 0.0f;
}

} // namespace detail

} // namespace transept::inline TRANSEPT_ABI
