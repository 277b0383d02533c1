// The operands of attention over whole sequences (sequence_attention.hpp), forward and backward.
#pragma once

#include <cstddef>

#include <transept/kernels/distance_bias.hpp>
#include <transept/kernels/dropout.hpp>
#include <transept/kernels/visibility.hpp>

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
  /// Divides `heads`; 0: as many. Head h reads head h / (heads / key_value_heads) of keys and values.
  std::size_t key_value_heads = 0;
  float soft_cap = 0; ///< a score becomes cap · tanh(score / cap); 0: it stays
  visibility sees = causal;
  distance_bias bias = {};
  /// [sequences + 1]: sequence s is rows [offsets[s], offsets[s + 1]); null: all have `length`.
  const std::size_t* offsets = nullptr;
  std::size_t key_row_stride = 0; ///< of keys and values; 0: row_stride
  /// Of keys and values that are other sequences' (cross-attention): positions each, or where they begin, as
  /// for the queries. 0 and null: the queries' own.
  std::size_t key_length = 0;
  const std::size_t* key_offsets = nullptr;

  std::size_t tasks() const { return sequences * heads; }
  /// Heads that read the same head of keys and values.
  std::size_t group() const { return key_value_heads == 0 ? 1 : heads / key_value_heads; }
  std::size_t key_stride() const { return key_row_stride == 0 ? row_stride : key_row_stride; }

  /// Rows of a sequence.
  struct rows {
    std::size_t first, count;
  };
  rows queries_of(std::size_t sequence) const { return rows_of(sequence, offsets, length); }
  rows keys_of(std::size_t sequence) const {
    return key_offsets || key_length != 0 ? rows_of(sequence, key_offsets, key_length) : queries_of(sequence);
  }

  /// Of sequence `sequence`, whose lengths are given so or so.
  static rows rows_of(std::size_t sequence, const std::size_t* offsets, std::size_t length) {
    if (!offsets) return {sequence * length, length};
    return {offsets[sequence], offsets[sequence + 1] - offsets[sequence]};
  }
};

/// The gradients of queries, keys and values, laid out as these are: dqueries + r · row_stride + h ·
/// head_width and so on; those of heads that share keys and values are summed, in order. `out` and `log_sums`
/// are what the forward pass gave, dout [rows, heads · head_width] is the gradient of `out`.
struct sequence_attention_gradient {
  const float* out;
  const float* log_sums;
  const float* dout;
  float* dqueries;
  float* dkeys;
  float* dvalues;
  /// Laid out as distance_bias is, or null: += the gradient of every entry that a pair reads, sequence after
  /// sequence.
  float* dbias = nullptr;
  std::size_t dbias_head_stride = 0;
};

} // namespace transept::inline TRANSEPT_ABI::kernels
