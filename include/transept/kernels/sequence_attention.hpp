// Causal attention over whole sequences, as training needs it: the keys and values of all positions lie in
// rows beside the queries, and nothing is cached.
//
//   S = scale · Q Kᵀ (causal),  P = softmax(S),  O = P V
//
// A block of queries at a time, so memory is linear in the length. What stays of a row's probabilities is
// log Σⱼ eˢʲ, from which the backward pass computes them again (Dao et al. 2022). A task is one head of one
// sequence, summed in one order, whatever the number of threads.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include <transept/kernels/attention.hpp>
#include <transept/kernels/dropout.hpp>
#include <transept/kernels/small_product.hpp>
#include <transept/runtime/compute_context.hpp>

namespace transept::inline TRANSEPT_ABI::kernels {

/// Queries, keys and values of `sequences` sequences of `length` positions: position t of sequence s is row
/// s · length + t. Of row r and head h, each begins at its pointer + r · row_stride + h · head_width.
struct sequence_attention {
  const float* queries;
  const float* keys;
  const float* values;
  std::size_t row_stride, sequences, length;
  std::size_t heads, head_width;
  float scale;
  dropout_mask dropout; ///< rate 0: none

  std::size_t tasks() const { return sequences * heads; }
};

namespace detail {

inline constexpr std::size_t query_rows = 32;

/// One head's sizes in scratch memory: both padded so that rows are whole register tiles.
struct padded_sizes {
  std::size_t length, width;
};

constexpr padded_sizes padded(const sequence_attention& problem) {
  return {rounded_up(problem.length, small_tile_cols), rounded_up(problem.head_width, small_tile_cols)};
}

/// to [length, padded width] = rows of one head, `stride` apart, then zeros.
inline void gather_rows(const float* from, std::size_t stride, std::size_t length, std::size_t width,
                        std::size_t padded_width, float* to) {
  const std::size_t whole = width / simd::width * simd::width;
  for (std::size_t t = 0; t < length; ++t, from += stride, to += padded_width) {
    for (std::size_t d = 0; d < whole; d += simd::width) simd::store(to + d, simd::load(from + d));
    for (std::size_t d = whole; d < padded_width; ++d) to[d] = d < width ? from[d] : 0.0f;
  }
}

/// The way back: rows `stride` apart = from [length, padded width].
inline void put_rows(const float* from, std::size_t padded_width, std::size_t length, std::size_t width,
                     float* to, std::size_t stride) {
  for (std::size_t t = 0; t < length; ++t, from += padded_width, to += stride) {
    std::size_t d = 0;
    for (; d + simd::width <= width; d += simd::width) simd::store(to + d, simd::load(from + d));
    for (; d < width; ++d) to[d] = from[d];
  }
}

/// to [width, padded length] = rows of one head, transposed.
inline void gather_columns(const float* from, std::size_t stride, std::size_t length, std::size_t width,
                           std::size_t padded_length, float* to) {
  for (std::size_t t = 0; t < padded_length; t += simd::width) {
    const bool whole_rows = t + simd::width <= length;
    std::size_t d = 0;
    for (; whole_rows && d + simd::width <= width; d += simd::width) {
      simd::batch square[simd::width];
      for (std::size_t i = 0; i < simd::width; ++i) square[i] = simd::load(from + (t + i) * stride + d);
      simd::transpose(square);
      for (std::size_t i = 0; i < simd::width; ++i) simd::store(to + (d + i) * padded_length + t, square[i]);
    }
    for (; d < width; ++d)
      for (std::size_t i = t; i < t + simd::width; ++i)
        to[d * padded_length + i] = i < length ? from[i * stride + d] : 0.0f;
  }
}

// What causality leaves of the products of a block of queries, q0 … q0 + count - 1, with the keys before and
// among them, for small_product: whole tiles that no query sees, and terms that are 0, are left out.

/// [queries, keys] = … [width]
constexpr auto seen_scores(std::size_t q0, std::size_t width) {
  return [=](std::size_t query, std::size_t rows, std::size_t key) {
    return inner_range{0, key < q0 + query + rows ? width : 0};
  };
}

/// [queries, width] = Σ_keys
constexpr auto sum_over_keys(std::size_t q0, std::size_t visible) {
  return [=](std::size_t query, std::size_t rows, std::size_t) {
    return inner_range{0, std::min(visible, q0 + query + rows)};
  };
}

/// [keys, width] = Σ_queries
constexpr auto sum_over_queries(std::size_t q0, std::size_t count) {
  return [=](std::size_t key, std::size_t, std::size_t) {
    return inner_range{key > q0 ? key - q0 : 0, count};
  };
}

/// scores [0, padded count) = softmax(scale · scores) over the first `count`, then zeros; returns the
/// logarithm of the sum.
inline float softmax_row(float* scores, std::size_t count, std::size_t padded_count, float scale) {
  const std::size_t last = (count - 1) / simd::width * simd::width, end = last + simd::width;
  simd::batch greatest = simd::broadcast(-std::numeric_limits<float>::infinity());
  const auto scaled = [&](std::size_t i) {
    const simd::batch value = simd::load(scores + i) * simd::broadcast(scale);
    simd::store(scores + i, value);
    return value;
  };
  for (std::size_t i = 0; i < last; i += simd::width) greatest = simd::max(greatest, scaled(i));
  scaled(last);
  std::fill(scores + count, scores + end, -std::numeric_limits<float>::infinity());
  const float most = simd::greatest(simd::max(greatest, simd::load(scores + last)));
  simd::batch partial = simd::broadcast(0.0f);
  for (std::size_t i = 0; i < end; i += simd::width) {
    const simd::batch e = simd::exp(simd::load(scores + i) - simd::broadcast(most));
    simd::store(scores + i, e);
    partial += e;
  }
  const float total = simd::sum(partial);
  const simd::batch share = simd::broadcast(1.0f / total);
  for (std::size_t i = 0; i < end; i += simd::width) simd::store(scores + i, simd::load(scores + i) * share);
  std::fill(scores + end, scores + padded_count, 0.0f);
  return most + std::log(total);
}

/// row [0, count) = row · the factors of row `index` of the mask.
inline void drop_row(const dropout_mask& mask, std::size_t index, float* row, std::size_t count) {
  constexpr std::size_t piece = 256;
  float factors[piece];
  for (std::size_t i = 0; i < count; i += piece) {
    const std::size_t n = std::min(piece, count - i);
    mask.factors(index, n, factors, i);
    for (std::size_t j = 0; j < n; ++j) row[i + j] *= factors[j];
  }
}

/// Where the head of one sequence, a task, lies.
struct head_place {
  std::size_t head;
  std::size_t first_row;  ///< of the sequence
  std::size_t offset;     ///< of its queries, keys and values
  std::size_t out_stride; ///< from a row of the output to the next

  head_place(const sequence_attention& problem, std::size_t task)
      : head(task % problem.heads),
        first_row(task / problem.heads * problem.length),
        offset(first_row * problem.row_stride + head * problem.head_width),
        out_stride(problem.heads * problem.head_width) {}

  /// Of position t in the output.
  std::size_t out_offset(const sequence_attention& problem, std::size_t t) const {
    return (first_row + t) * out_stride + head * problem.head_width;
  }
  /// Of position t in the logarithms of sums.
  std::size_t log_sum(const sequence_attention& problem, std::size_t t) const {
    return (first_row + t) * problem.heads + head;
  }
};

/// Calls f(task, scratch) for every task, divided over the threads, each with a Scratch of its own.
template <class Scratch, class F>
void for_each_head(compute_context& context, const sequence_attention& problem, F&& f) {
  const std::size_t room = Scratch::room(problem);
  workspace::scope scope(context.memory);
  float* const memory = scope.floats(static_cast<std::size_t>(context.threads.size()) * room);
  parallel_for(context.threads, problem.tasks(), 1, [&](std::size_t begin, std::size_t end, int thread) {
    const Scratch scratch(problem, memory + static_cast<std::size_t>(thread) * room);
    for (std::size_t task = begin; task < end; ++task) f(task, scratch);
  });
}

/// One thread's scratch memory for a head.
struct attention_scratch {
  float* keys_across; ///< [head width, padded length]
  float* values;      ///< [length, padded width]
  float* scores;      ///< [query_rows, padded length]
  float* sums;        ///< [query_rows, padded width]

  static constexpr std::size_t room(const sequence_attention& problem) {
    const padded_sizes size = padded(problem);
    return (problem.head_width + query_rows) * size.length + (problem.length + query_rows) * size.width;
  }

  attention_scratch(const sequence_attention& problem, float* memory) : keys_across(memory) {
    const padded_sizes size = padded(problem);
    values = keys_across + problem.head_width * size.length;
    scores = values + problem.length * size.width;
    sums = scores + query_rows * size.length;
  }
};

inline void attend_head(const sequence_attention& problem, std::size_t task, const attention_scratch& scratch,
                        float* out, float* log_sums) {
  const padded_sizes size = padded(problem);
  const std::size_t width = problem.head_width, length = problem.length, stride = problem.row_stride;
  const head_place at(problem, task);
  gather_columns(problem.keys + at.offset, stride, length, width, size.length, scratch.keys_across);
  gather_rows(problem.values + at.offset, stride, length, width, size.width, scratch.values);

  for (std::size_t q0 = 0; q0 < length; q0 += query_rows) {
    const std::size_t count = std::min(query_rows, length - q0);
    const std::size_t visible = q0 + count; // keys that any of these queries sees
    const std::size_t padded_visible = rounded_up(visible, small_tile_cols);
    small_product({problem.queries + at.offset + q0 * stride, stride, 1}, count, scratch.keys_across,
                  size.length, padded_visible, scratch.scores, size.length, false, seen_scores(q0, width));
    for (std::size_t q = 0; q < count; ++q) {
      float* const row = scratch.scores + q * size.length;
      const float log_sum = softmax_row(row, q0 + q + 1, padded_visible, problem.scale);
      if (log_sums) log_sums[at.log_sum(problem, q0 + q)] = log_sum;
      if (problem.dropout.rate > 0) drop_row(problem.dropout, task * length + q0 + q, row, visible);
    }
    small_product({scratch.scores, size.length, 1}, count, scratch.values, size.width, size.width,
                  scratch.sums, size.width, false, sum_over_keys(q0, visible));
    put_rows(scratch.sums, size.width, count, width, out + at.out_offset(problem, q0), at.out_stride);
  }
}

} // namespace detail

/// out [rows, heads · head_width]; log_sums [rows, heads] = log Σⱼ e^s of each row, or null.
inline void attend_whole_sequences(compute_context& context, const sequence_attention& problem, float* out,
                                   float* log_sums) {
  detail::for_each_head<detail::attention_scratch>(
      context, problem, [&](std::size_t task, const detail::attention_scratch& scratch) {
        detail::attend_head(problem, task, scratch, out, log_sums);
      });
}

} // namespace transept::inline TRANSEPT_ABI::kernels
