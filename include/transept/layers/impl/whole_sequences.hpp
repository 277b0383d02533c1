// Attention among the rows of a pass (layers/whole_sequences.hpp).
#pragma once

#include <algorithm>
#include <cassert>
#include <iterator>

#include <transept/kernels/sequence_attention.hpp>
#include <transept/layers/residual.hpp>
#include <transept/layers/whole_sequences.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION whole_sequences::whole_sequences(std::span<const std::size_t> offsets, tape* kept)
    : length_(0), offsets_(offsets), tape_(kept) {
  for (std::size_t s = 0; s + 1 < offsets.size(); ++s) {
    assert(offsets[s] < offsets[s + 1]);
    length_ = std::max(length_, offsets[s + 1] - offsets[s]);
  }
}

TRANSEPT_FUNCTION std::size_t position(const whole_sequences& sequences, std::size_t row) {
  const auto offsets = sequences.offsets();
  if (offsets.empty()) return row % sequences.length();
  return row - *std::prev(std::ranges::upper_bound(offsets, row));
}

TRANSEPT_FUNCTION void append(compute_context&, whole_sequences& sequences, std::size_t, const float* keys,
                              const float* values, [[maybe_unused]] std::size_t rows, std::size_t) {
  assert(sequences.offsets_.empty() ? rows % sequences.length_ == 0 : rows == sequences.offsets_.back());
  sequences.keys_ = keys;
  sequences.values_ = values;
}

namespace detail {

inline kernels::sequence_attention whole_attention(const kernels::attention_problem& problem,
                                                   const float* keys, const float* values,
                                                   const whole_sequences& sequences, const tape* tape) {
  return {.queries = problem.queries,
          .keys = keys,
          .values = values,
          .row_stride = problem.row_stride,
          .sequences = sequences.count(problem.rows),
          .length = sequences.length(),
          .heads = problem.heads,
          .head_width = problem.head_width,
          .scale = problem.scale,
          .dropout = tape ? mask_here(*tape, tape->dropout.attention) : kernels::dropout_mask{},
          .key_value_heads = problem.key_value_heads,
          .soft_cap = problem.soft_cap,
          .sees = problem.sees,
          .bias = problem.bias,
          .offsets = sequences.offsets().data()};
}

} // namespace detail

TRANSEPT_FUNCTION void attend(compute_context& context, const kernels::attention_problem& problem,
                              const whole_sequences& sequences, std::size_t, float* out) {
  tape* const kept = sequences.tape_;
  const auto all = detail::whole_attention(problem, sequences.keys_, sequences.values_, sequences, kept);
  kernels::attend_whole_sequences(context, all, out,
                                  kept ? kept->keep_floats(problem.rows * problem.heads) : nullptr);
}

} // namespace transept::inline TRANSEPT_ABI
