// Attention among the rows of a pass (layers/whole_sequences.hpp).
#pragma once

#include <cassert>

#include <transept/kernels/sequence_attention.hpp>
#include <transept/layers/residual.hpp>
#include <transept/layers/whole_sequences.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION void append(compute_context&, whole_sequences& sequences, std::size_t, const float* keys,
                              const float* values, [[maybe_unused]] std::size_t rows, std::size_t) {
  assert(rows % sequences.length_ == 0);
  sequences.keys_ = keys;
  sequences.values_ = values;
}

namespace detail {

inline kernels::sequence_attention whole_attention(const kernels::attention_problem& problem,
                                                   const float* keys, const float* values, std::size_t length,
                                                   const tape* tape) {
  return {.queries = problem.queries,
          .keys = keys,
          .values = values,
          .row_stride = problem.row_stride,
          .sequences = problem.rows / length,
          .length = length,
          .heads = problem.heads,
          .head_width = problem.head_width,
          .scale = problem.scale,
          .dropout = tape ? mask_here(*tape, tape->dropout.attention) : kernels::dropout_mask{},
          .key_value_heads = problem.key_value_heads,
          .soft_cap = problem.soft_cap,
          .sees = problem.sees,
          .bias = problem.bias};
}

} // namespace detail

TRANSEPT_FUNCTION void attend(compute_context& context, const kernels::attention_problem& problem,
                              const whole_sequences& sequences, std::size_t, float* out) {
  tape* const kept = sequences.tape_;
  const auto all =
      detail::whole_attention(problem, sequences.keys_, sequences.values_, sequences.length_, kept);
  kernels::attend_whole_sequences(context, all, out,
                                  kept ? kept->keep_floats(problem.rows * problem.heads) : nullptr);
}

} // namespace transept::inline TRANSEPT_ABI
