// The pieces that attention over whole sequences is made of, forward and backward: where a head lies, what a
// block of its queries sees, softmax of a row, and the division into tasks.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include <transept/kernels/sequence_problem.hpp>
#include <transept/kernels/vector/dropout.hpp>
#include <transept/kernels/vector/small_product.hpp>
#include <transept/runtime/compute_context.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA::detail {

inline constexpr std::size_t query_rows = 32;

/// A head's keys in scratch memory: both sizes padded so that rows are whole register tiles.
struct padded_sizes {
  std::size_t length, width;

  padded_sizes(std::size_t keys, std::size_t head_width)
      : length(rounded_up(keys, small_tile_cols)), width(rounded_up(head_width, small_tile_cols)) {}
};

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

/// A block of queries, q0 … q0 + count − 1, of a sequence with `length` keys, and what their visibility
/// leaves of the products of queries and keys, for small_product: whole tiles that no query sees, and terms
/// that are 0, are left out. Keys are counted from `begin` on.
struct seen_block {
  visibility sees;
  std::size_t q0, count, length;
  std::size_t begin;      ///< the first key that one of the queries sees, or a few before it: a whole tile
  std::size_t end;        ///< behind the last key that one of them sees
  std::size_t padded_end; ///< a whole tile

  seen_block(visibility visible, std::size_t first_query, std::size_t queries, std::size_t keys)
      : sees(visible),
        q0(first_query),
        count(queries),
        length(keys),
        begin(of(0).begin / small_tile_cols * small_tile_cols),
        end(of(count - 1).end),
        padded_end(rounded_up(end, small_tile_cols)) {}

  /// What query q of the block sees. Both ends grow with q.
  key_range of(std::size_t q) const { return sees.keys_of(q0 + q, length); }

  /// [queries, keys] = … [width]
  auto scores(std::size_t width) const {
    return [=, this](std::size_t query, std::size_t rows, std::size_t key) {
      const bool any =
          begin + key < of(query + rows - 1).end && begin + key + small_tile_cols > of(query).begin;
      return inner_range{0, any ? width : 0};
    };
  }

  /// [queries, width] = Σ_keys
  auto sum_over_keys() const {
    return [this](std::size_t query, std::size_t rows, std::size_t) {
      return inner_range{of(query).begin - begin, of(query + rows - 1).end - begin};
    };
  }

  /// [keys, width] = Σ_queries
  auto sum_over_queries() const {
    return [this](std::size_t key, std::size_t rows, std::size_t) {
      const std::size_t from = begin + key, to = from + rows; // keys
      const std::size_t first = from < sees.prefix || from < sees.after ? 0 : from - sees.after;
      const std::size_t last = to < all_positions - sees.before ? to + sees.before : all_positions;
      return inner_range{first > q0 ? first - q0 : 0, last > q0 ? std::min(count, last - q0) : 0};
    };
  }
};

/// scores = softmax(scale · scores) over the range that is seen, and zeros in the rest of [begin, end), whole
/// tiles; returns the logarithm of the sum.
inline float softmax_row(float* scores, key_range seen, std::size_t begin, std::size_t end, float scale) {
  constexpr float none = -std::numeric_limits<float>::infinity();
  const std::size_t first = seen.begin / simd::width * simd::width;
  const std::size_t last = (seen.end - 1) / simd::width * simd::width, behind = last + simd::width;
  const auto scaled = [&](std::size_t i) {
    const simd::batch value = simd::load(scores + i) * simd::broadcast(scale);
    simd::store(scores + i, value);
    return value;
  };
  scaled(last);
  if (first < last) scaled(first);
  std::fill(scores + first, scores + seen.begin, none);
  std::fill(scores + seen.end, scores + behind, none);
  simd::batch greatest = simd::max(simd::load(scores + first), simd::load(scores + last));
  for (std::size_t i = first + simd::width; i < last; i += simd::width)
    greatest = simd::max(greatest, scaled(i));
  const float most = simd::greatest(greatest);
  simd::batch partial = simd::broadcast(0.0f);
  for (std::size_t i = first; i < behind; i += simd::width) {
    const simd::batch e = simd::exp(simd::load(scores + i) - simd::broadcast(most));
    simd::store(scores + i, e);
    partial += e;
  }
  const float total = simd::sum(partial);
  const simd::batch share = simd::broadcast(1.0f / total);
  for (std::size_t i = first; i < behind; i += simd::width)
    simd::store(scores + i, simd::load(scores + i) * share);
  std::fill(scores + begin, scores + first, 0.0f);
  std::fill(scores + behind, scores + end, 0.0f);
  return most + std::log(total);
}

/// row [begin, end) = row · the factors of row `index` of the mask; a few before `begin` too.
inline void drop_row(const dropout_mask& mask, std::size_t index, float* row, std::size_t begin,
                     std::size_t end) {
  constexpr std::size_t piece = 256;
  float factors[piece];
  for (std::size_t i = begin / 4 * 4; i < end; i += piece) {
    const std::size_t n = std::min(piece, end - i);
    dropout_factors(mask, index, n, factors, i);
    for (std::size_t j = 0; j < n; ++j) row[i + j] *= factors[j];
  }
}

/// Where a head of one sequence lies.
struct head_place {
  std::size_t head;
  sequence_attention::rows queries, keys;
  std::size_t query_offset; ///< of the head's first query in the queries
  std::size_t key_offset;   ///< of its first key in the keys, and value in the values
  std::size_t out_stride;   ///< from a row of the output to the next

  head_place(const sequence_attention& problem, std::size_t sequence, std::size_t which)
      : head(which),
        queries(problem.queries_of(sequence)),
        keys(problem.keys_of(sequence)),
        query_offset(queries.first * problem.row_stride + head * problem.head_width),
        key_offset(keys.first * problem.key_stride() + head / problem.group() * problem.head_width),
        out_stride(problem.heads * problem.head_width) {}

  /// Of position t in the output.
  std::size_t out_offset(const sequence_attention& problem, std::size_t t) const {
    return (queries.first + t) * out_stride + head * problem.head_width;
  }
  /// Of position t in the logarithms of sums.
  std::size_t log_sum(const sequence_attention& problem, std::size_t t) const {
    return (queries.first + t) * problem.heads + head;
  }
  /// Of position t in the dropout mask: the heads of a sequence lie one after another.
  std::size_t mask_row(const sequence_attention& problem, std::size_t t) const {
    return queries.first * problem.heads + head * queries.count + t;
  }
  /// The bias of position t's score of key j, or null.
  const float* bias(const sequence_attention& problem, std::size_t t, std::size_t j) const {
    if (!problem.bias.at_zero) return nullptr;
    return problem.bias.at_zero + (problem.bias.offset(head, t) + static_cast<std::ptrdiff_t>(j));
  }
};

/// The most keys that a sequence has.
inline std::size_t most_keys(const sequence_attention& problem) {
  std::size_t most = 0;
  for (std::size_t s = 0; s < problem.sequences; ++s) most = std::max(most, problem.keys_of(s).count);
  return most;
}

/// Calls f(task, scratch) for tasks 0 … tasks − 1, divided over the threads, each with a Scratch of its own.
template <class Scratch, class F>
void for_each_head(compute_context& context, const sequence_attention& problem, std::size_t tasks, F&& f) {
  const std::size_t keys = most_keys(problem), room = Scratch::room(keys, problem.head_width);
  workspace::scope scope(context.memory);
  float* const memory = scope.floats(static_cast<std::size_t>(context.threads.size()) * room);
  parallel_for(context.threads, tasks, 1, [&](std::size_t begin, std::size_t end, int thread) {
    const Scratch scratch(keys, problem.head_width, memory + static_cast<std::size_t>(thread) * room);
    for (std::size_t task = begin; task < end; ++task) f(task, scratch);
  });
}

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA::detail
