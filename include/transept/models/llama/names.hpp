// What Hugging Face and llama.cpp call the parameters of LLaMA's line, and llama.cpp its settings.
#pragma once

#include <array>

#include <transept/models/gguf_architecture.hpp>
#include <transept/tensor/names.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A line for each parameter: here, in Hugging Face's files, in GGUF files.
inline constexpr std::array<tensor_names, 11> llama_tensors{{
    {"tokens", "model.embed_tokens", "token_embd"},
    {"blocks.*.norm_1", "model.layers.*.input_layernorm", "blk.*.attn_norm"},
    {"blocks.*.attention.query_key_value", "model.layers.*.self_attn.{q,k,v}_proj", "blk.*.attn_{q,k,v}"},
    {"blocks.*.attention.output", "model.layers.*.self_attn.o_proj", "blk.*.attn_output"},
    {"blocks.*.attention.query_norm", "model.layers.*.self_attn.q_norm", "blk.*.attn_q_norm"},
    {"blocks.*.attention.key_norm", "model.layers.*.self_attn.k_norm", "blk.*.attn_k_norm"},
    {"blocks.*.norm_2", "model.layers.*.post_attention_layernorm", "blk.*.ffn_norm"},
    {"blocks.*.network.gate_up", "model.layers.*.mlp.{gate,up}_proj", "blk.*.ffn_{gate,up}"},
    {"blocks.*.network.down", "model.layers.*.mlp.down_proj", "blk.*.ffn_down"},
    {"norm", "model.norm", "output_norm"},
    {"output", "lm_head", "output"},
}};

/// The same where llama.cpp keeps the outputs of queries and keys as the first LLaMA did: Qwen's it does not.
inline constexpr auto llama_paired_tensors = [] {
  auto names = llama_tensors;
  for (tensor_names& each : names)
    if (each.here == "blocks.*.attention.query_key_value") each.gguf_order = output_order::rotary_pairs;
  return names;
}();

/// Phi-3's, where queries, keys and values are one tensor, and so are gate and value.
inline constexpr std::array<tensor_names, 9> phi3_tensors{{
    {"tokens", "model.embed_tokens", "token_embd"},
    {"blocks.*.norm_1", "model.layers.*.input_layernorm", "blk.*.attn_norm"},
    {"blocks.*.attention.query_key_value", "model.layers.*.self_attn.qkv_proj", "blk.*.attn_qkv"},
    {"blocks.*.attention.output", "model.layers.*.self_attn.o_proj", "blk.*.attn_output"},
    {"blocks.*.norm_2", "model.layers.*.post_attention_layernorm", "blk.*.ffn_norm"},
    {"blocks.*.network.gate_up", "model.layers.*.mlp.gate_up_proj", "blk.*.ffn_up"},
    {"blocks.*.network.down", "model.layers.*.mlp.down_proj", "blk.*.ffn_down"},
    {"norm", "model.norm", "output_norm"},
    {"output", "lm_head", "output"},
}};

/// The table, Hugging Face's prefix, and how its linear layers lie: of LLaMA, Mistral and SmolLM3.
inline constexpr model_names llama_names{.tensors = llama_paired_tensors, .prefix = "model."};
/// The same of Qwen.
inline constexpr model_names qwen_names{.tensors = llama_tensors, .prefix = "model."};
/// The same of Phi-3.
inline constexpr model_names phi3_names{.tensors = phi3_tensors, .prefix = "model."};

/// Their settings in GGUF files.
inline constexpr std::array<gguf_line, 2> llama_gguf_keys{{
    {"blk.0.attn_q.bias", "attention_bias", gguf_kind::tensor},
    {"blk.0.ffn_gate.bias", "mlp_bias", gguf_kind::tensor},
}};

/// In GGUF files.
inline constexpr std::array<gguf_architecture, 5> llama_gguf{{
    {.name = "llama",
     .model_type = "llama",
     .keys = llama_gguf_keys,
     .has_rms_norms = true,
     .has_window = true,
     .model_type_with_window = "mistral"},
    {.name = "qwen2", .model_type = "qwen2", .has_rms_norms = true},
    {.name = "qwen3", .model_type = "qwen3", .keys = llama_gguf_keys, .has_rms_norms = true},
    {.name = "smollm3", .model_type = "smollm3", .keys = llama_gguf_keys, .has_rms_norms = true},
    {.name = "phi3",
     .model_type = "phi3",
     .rotary_part = "partial_rotary_factor",
     .has_rms_norms = true,
     .has_window = true},
}};

} // namespace transept::inline TRANSEPT_ABI
