// What Hugging Face and llama.cpp call the parameters of Gemma 1 and 2: the norm before the network has
// another name in each.
#pragma once

#include <algorithm>
#include <array>

#include <transept/tensor/names.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A line for each of Gemma 1's parameters: here, in Hugging Face's files, in GGUF files.
inline constexpr std::array<tensor_names, 9> gemma_tensors{{
    {"tokens", "model.embed_tokens", "token_embd"},
    {"blocks.*.norm_1", "model.layers.*.input_layernorm", "blk.*.attn_norm"},
    {"blocks.*.attention.query_key_value", "model.layers.*.self_attn.{q,k,v}_proj", "blk.*.attn_{q,k,v}"},
    {"blocks.*.attention.output", "model.layers.*.self_attn.o_proj", "blk.*.attn_output"},
    {"blocks.*.norm_2", "model.layers.*.post_attention_layernorm", "blk.*.ffn_norm"},
    {"blocks.*.network.gate_up", "model.layers.*.mlp.{gate,up}_proj", "blk.*.ffn_{gate,up}"},
    {"blocks.*.network.down", "model.layers.*.mlp.down_proj", "blk.*.ffn_down"},
    {"norm", "model.norm", "output_norm"},
    {"output", "lm_head", "output"},
}};

/// Gemma 2's: Gemma 1's and the output norms, whose coming renames `norm_2`.
inline constexpr auto gemma2_tensors = [] {
  std::array<tensor_names, 11> names{};
  std::copy(gemma_tensors.begin(), gemma_tensors.end(), names.begin());
  for (tensor_names& each : names)
    if (each.here == "blocks.*.norm_2") each.huggingface = "model.layers.*.pre_feedforward_layernorm";
  names[9] = {"blocks.*.attention_norm", "model.layers.*.post_attention_layernorm",
              "blk.*.post_attention_norm"};
  names[10] = {"blocks.*.network_norm", "model.layers.*.post_feedforward_layernorm", "blk.*.post_ffw_norm"};
  return names;
}();

inline constexpr model_names gemma_names{.tensors = gemma_tensors, .prefix = "model."};   ///< Gemma 1's
inline constexpr model_names gemma2_names{.tensors = gemma2_tensors, .prefix = "model."}; ///< Gemma 2's

} // namespace transept::inline TRANSEPT_ABI
