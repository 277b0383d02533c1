// Attention over whole sequences, as training needs it: the keys and values of all positions lie in rows,
// beside the queries or elsewhere (cross-attention), and nothing is cached.
//
//   S = scale · Q Kᵀ, soft-capped and biased where that is asked for (distance_bias.hpp),
//   P = softmax(S) over the keys that each query sees (visibility.hpp),  O = P V
//
// A block of queries at a time, so memory is linear in the length. What stays of a row's probabilities is
// log Σⱼ eˢʲ, from which the backward pass computes them again (Dao et al. 2022). A task is one head of one
// sequence, summed in one order, whatever the number of threads.
#pragma once

#include <cstddef>

#include <transept/kernels/sequence_problem.hpp>
#include <transept/runtime/compute_context.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

/// out [rows, heads · head_width]; log_sums [rows, heads] = log Σⱼ e^s of each row, or null.
TRANSEPT_FUNCTION void attend_whole_sequences(compute_context& context, const sequence_attention& problem,
                                              float* out, float* log_sums);

/// Writes the gradients of queries, keys and values, and adds that of the bias where it is wanted.
TRANSEPT_FUNCTION void attend_whole_sequences_backward(compute_context& context,
                                                       const sequence_attention& problem,
                                                       const sequence_attention_gradient& gradient);

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA

#if !TRANSEPT_IS_COMPILED
#include <transept/kernels/vector/sequence_attention.hpp>
#include <transept/kernels/vector/sequence_attention_backward.hpp>
#endif
