// Scaled dot-product attention over a cache (Vaswani et al. 2017, eq. 1), for each head:
//
//   out(i) = Σⱼ pᵢⱼ v(j),   pᵢ = softmaxⱼ(s(i, j)) over the keys j that query i sees (visibility.hpp)
//
// where s(i, j) is scale · q(i) · k(j), soft-capped and biased where that is asked for
// (distance_bias.hpp), with a streaming softmax (Milakov & Gimelshein 2018; Dao et al. 2022): keys pass in
// tiles of `key_tile` positions, a running maximum and sum are kept, so no row of scores is ever stored, let
// alone context × context of them. Tiles that no query sees are not touched.
//
// Several heads may share a head of keys and values (Ainslie et al. 2023; one for all: Shazeer 2019). They
// meet a tile together, so that it is read once for all of them.
//
// The cache may hold f32, bf16 or int8 (cache_layout.hpp); sums are f32. Tiles begin at multiples of key_tile
// from position 0, so a query's result does not depend on which other queries come with it: a prompt fed
// whole, in chunks or token by token gives the same bits.
#pragma once

#include <cstddef>

#include <transept/core/function_ref.hpp>
#include <transept/kernels/cache_layout.hpp>
#include <transept/kernels/distance_bias.hpp>
#include <transept/kernels/visibility.hpp>
#include <transept/runtime/compute_context.hpp>

namespace transept::inline TRANSEPT_ABI::kernels {

/// Queries: row r, head h begins at data + r · row_stride + h · head_width; row r is at position first + r.
struct attention_problem {
  const float* queries;
  std::size_t row_stride, rows, first_position;
  std::size_t heads, head_width;
  float scale;
  /// Divides `heads`; 0: as many. Head h reads head h / (heads / key_value_heads) of the cache.
  std::size_t key_value_heads = 0;
  float soft_cap = 0; ///< a score becomes cap · tanh(score / cap); 0: it stays
  visibility sees = causal;
  distance_bias bias = {};
  /// Positions that the cache holds, as these queries see it; 0: those up to the last row's. Needed where
  /// queries see keys behind them, or the keys are another sequence's.
  std::size_t length = 0;

  /// Heads that read the same head of keys and values.
  std::size_t group() const { return key_value_heads == 0 ? 1 : heads / key_value_heads; }
  std::size_t positions() const { return length == 0 ? first_position + rows : length; }
};

/// One row of a batch: the keys and values of its own sequence, and its position in that.
struct sequence_row {
  keys_and_values cache;
  std::size_t position;
  /// Positions that the cache holds; 0: as the problem says, or those up to its own.
  std::size_t length = 0;
};

inline namespace TRANSEPT_ISA {

/// out [rows, heads · head_width]: attention of every query over the positions that it sees, which the cache
/// must already hold.
TRANSEPT_FUNCTION void attend(compute_context& context, const attention_problem& problem,
                              keys_and_values cache, float* out);

/// out [rows, heads · head_width]: the same where every row belongs to a sequence of its own, of_row(r),
/// which is a sequence_row (problem.first_position is not read). The bits are those that each sequence would
/// get alone.
TRANSEPT_FUNCTION void attend_sequences(compute_context& context, const attention_problem& problem,
                                        function_ref<sequence_row(std::size_t)> of_row, float* out);

/// For looking inside: weights [heads, rows, total] = the attention probabilities themselves, total =
/// problem.positions(), zero where a position is not visible. Row r of head h begins at
/// weights + (h · head_rows + r) · row_length.
TRANSEPT_FUNCTION void attention_weights(const attention_problem& problem, keys_and_values cache,
                                         float* weights, std::size_t head_rows, std::size_t row_length);

} // namespace TRANSEPT_ISA
} // namespace transept::inline TRANSEPT_ABI::kernels

#if !TRANSEPT_IS_COMPILED
#include <transept/kernels/vector/attention.hpp>
#endif
