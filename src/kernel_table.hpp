// The functions that kernels/ declares, as a table: one for each instruction set. What is listed here, and
// nothing else, goes through it.
#pragma once

#include <cstddef>

#include <transept/kernels/activation.hpp>
#include <transept/kernels/adamw.hpp>
#include <transept/kernels/add.hpp>
#include <transept/kernels/attention.hpp>
#include <transept/kernels/bf16_products.hpp>
#include <transept/kernels/cache_store.hpp>
#include <transept/kernels/column_sums.hpp>
#include <transept/kernels/cross_entropy.hpp>
#include <transept/kernels/dropout.hpp>
#include <transept/kernels/embedding.hpp>
#include <transept/kernels/float_panels.hpp>
#include <transept/kernels/gated_activation.hpp>
#include <transept/kernels/layer_norm.hpp>
#include <transept/kernels/matmul.hpp>
#include <transept/kernels/panels.hpp>
#include <transept/kernels/peak.hpp>
#include <transept/kernels/product.hpp>
#include <transept/kernels/quantize.hpp>
#include <transept/kernels/rms_norm.hpp>
#include <transept/kernels/rotary.hpp>
#include <transept/kernels/sequence_attention.hpp>
#include <transept/kernels/soft_cap.hpp>
#include <transept/kernels/softmax.hpp>

// clang-format off
#define TRANSEPT_FOR_EACH_KERNEL(K)                                                                          \
  K(activate) K(activate_backward) K(gated_activation) K(gated_activation_backward)                          \
  K(adamw) K(sum_of_squares) K(add) K(add_column_sums) K(multiply_in_registers)                              \
  K(attend) K(attend_sequences) K(attention_weights)                                                         \
  K(attend_whole_sequences) K(attend_whole_sequences_backward) K(store_positions)                            \
  K(cross_entropy) K(cross_entropy_backward) K(drop) K(dropout_factors)                                      \
  K(copy_row) K(copy_input_row) K(add_row) K(scatter_rows)                                                   \
  K(layer_norm) K(layer_norm_backward)                                                                       \
  K(rms_norm) K(rms_norm_backward) K(rms_norm_heads) K(rms_norm_heads_backward)                              \
  K(matmul) K(matmul_transposed) K(matmul_scratch_bytes) K(runs_in_tiles) K(multiply)                        \
  K(pack_float_panels) K(pack_panels) K(quantize_blocks) K(quantize_panels)                                  \
  K(rotate) K(soft_cap) K(soft_cap_row) K(soft_cap_backward)                                                 \
  K(greatest) K(softmax) K(log_sum_exp) K(exponentials)
// clang-format on

namespace transept::inline TRANSEPT_ABI::kernels {

struct kernel_table {
#define TRANSEPT_MEMBER(name) decltype(&kernels::name) name;
  TRANSEPT_FOR_EACH_KERNEL(TRANSEPT_MEMBER)
#undef TRANSEPT_MEMBER
};

} // namespace transept::inline TRANSEPT_ABI::kernels
