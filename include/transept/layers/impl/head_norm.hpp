// Norms of queries and keys, by the kernels that norm rows (layers/head_norm.hpp).
#pragma once

#include <algorithm>
#include <cstddef>

#include <transept/kernels/layer_norm.hpp>
#include <transept/kernels/rms_norm.hpp>
#include <transept/layers/head_norm.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

/// All heads as one that is as wide as they are together.
inline kernels::head_rows all_heads_as_one(kernels::head_rows where) {
  where.head_width *= where.heads;
  where.heads = 1;
  return where;
}

/// rows [rows, head_width] = those of one head of x.
inline void gather_head(kernels::head_rows where, std::size_t head, const float* x, float* rows) {
  for (std::size_t r = 0; r < where.rows; ++r)
    std::copy_n(x + where.offset(r, head), where.head_width, rows + r * where.head_width);
}

/// The way back.
inline void scatter_head(kernels::head_rows where, std::size_t head, const float* rows, float* x) {
  for (std::size_t r = 0; r < where.rows; ++r)
    std::copy_n(rows + r * where.head_width, where.head_width, x + where.offset(r, head));
}

} // namespace detail

TRANSEPT_FUNCTION void norm_heads(compute_context& context, head_norm_kind kind, kernels::head_rows where,
                                  const float* weight, const norm_settings& settings, float* x) {
  if (kind != head_norm_kind::layer) {
    if (kind == head_norm_kind::joint_rms) where = detail::all_heads_as_one(where);
    kernels::rms_norm_heads(context, where, x, weight, settings.weight_offset, settings.epsilon, x);
    return;
  }
  workspace::scope scope(context.memory);
  float* const rows = scope.floats(where.rows * where.head_width);
  for (std::size_t head = 0; head < where.heads; ++head) {
    detail::gather_head(where, head, x, rows);
    kernels::layer_norm(context, {rows, where.rows, where.head_width}, weight + head * where.head_width,
                        nullptr, settings.epsilon, rows);
    detail::scatter_head(where, head, rows, x);
  }
}

TRANSEPT_FUNCTION void norm_heads_backward(compute_context& context, head_norm_kind kind,
                                           kernels::head_rows where, const float* x, const float* weight,
                                           const norm_settings& settings, float* dy_to_dx, float* dweight) {
  if (kind != head_norm_kind::layer) {
    if (kind == head_norm_kind::joint_rms) where = detail::all_heads_as_one(where);
    kernels::rms_norm_heads_backward(context, where, x, weight, settings.weight_offset, settings.epsilon,
                                     dy_to_dx, dweight);
    return;
  }
  workspace::scope scope(context.memory);
  const std::size_t count = where.rows * where.head_width;
  float* const rows = scope.floats(count);
  float* const dy = scope.floats(count);
  float* const dx = scope.floats(count);
  for (std::size_t head = 0; head < where.heads; ++head) {
    detail::gather_head(where, head, x, rows);
    detail::gather_head(where, head, dy_to_dx, dy);
    std::fill_n(dx, count, 0.0f);
    kernels::layer_norm_backward(context, {rows, where.rows, where.head_width},
                                 weight + head * where.head_width, settings.epsilon, dy, dx,
                                 dweight ? dweight + head * where.head_width : nullptr, nullptr);
    detail::scatter_head(where, head, dx, dy_to_dx);
  }
}

} // namespace transept::inline TRANSEPT_ABI
