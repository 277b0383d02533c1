// What Hugging Face and llama.cpp call the parameters of a Falcon.
#pragma once

#include <array>
#include <string_view>

#include <transept/tensor/names.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

/// A line for each parameter: here, in Hugging Face's files, in GGUF files. Where attention and network read
/// norms of their own beside each other, these are called otherwise.
constexpr std::array<tensor_names, 9> falcon_tensors_with(std::string_view norm_1, std::string_view norm_2) {
  return {{
      {"tokens", "transformer.word_embeddings", "token_embd"},
      {"blocks.*.norm_1", norm_1, "blk.*.attn_norm"},
      {"blocks.*.attention.query_key_value", "transformer.h.*.self_attention.query_key_value",
       "blk.*.attn_qkv", output_order::by_head},
      {"blocks.*.attention.output", "transformer.h.*.self_attention.dense", "blk.*.attn_output"},
      {"blocks.*.norm_2", norm_2, "blk.*.ffn_norm"},
      {"blocks.*.network.up", "transformer.h.*.mlp.dense_h_to_4h", "blk.*.ffn_up"},
      {"blocks.*.network.down", "transformer.h.*.mlp.dense_4h_to_h", "blk.*.ffn_down"},
      {"norm", "transformer.ln_f", "output_norm"},
      {"output", "lm_head", "output"},
  }};
}

} // namespace detail

/// Of one norm, or two one after another.
inline constexpr auto falcon_tensors = detail::falcon_tensors_with(
    "transformer.h.*.input_layernorm", "transformer.h.*.post_attention_layernorm");
/// Of two beside each other.
inline constexpr auto falcon_two_norm_tensors =
    detail::falcon_tensors_with("transformer.h.*.ln_attn", "transformer.h.*.ln_mlp");

/// The table, Hugging Face's prefix, and how its linear layers lie.
inline constexpr model_names falcon_names{.tensors = falcon_tensors, .prefix = "transformer."};
/// The same of two norms beside each other.
inline constexpr model_names falcon_two_norm_names{.tensors = falcon_two_norm_tensors,
                                                   .prefix = "transformer."};

} // namespace transept::inline TRANSEPT_ABI
