// What Hugging Face and llama.cpp call the parameters of an OLMo 2, and llama.cpp its settings.
#pragma once

#include <array>

#include <transept/models/gguf_architecture.hpp>
#include <transept/tensor/names.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A line for each parameter: here, in Hugging Face's files, in GGUF files.
inline constexpr std::array<tensor_names, 11> olmo2_tensors{{
    {"tokens", "model.embed_tokens", "token_embd"},
    {"blocks.*.attention.query_key_value", "model.layers.*.self_attn.{q,k,v}_proj", "blk.*.attn_{q,k,v}"},
    {"blocks.*.attention.output", "model.layers.*.self_attn.o_proj", "blk.*.attn_output"},
    {"blocks.*.attention.query_norm", "model.layers.*.self_attn.q_norm", "blk.*.attn_q_norm"},
    {"blocks.*.attention.key_norm", "model.layers.*.self_attn.k_norm", "blk.*.attn_k_norm"},
    {"blocks.*.attention_norm", "model.layers.*.post_attention_layernorm", "blk.*.post_attention_norm"},
    {"blocks.*.network.gate_up", "model.layers.*.mlp.{gate,up}_proj", "blk.*.ffn_{gate,up}"},
    {"blocks.*.network.down", "model.layers.*.mlp.down_proj", "blk.*.ffn_down"},
    {"blocks.*.network_norm", "model.layers.*.post_feedforward_layernorm", "blk.*.post_ffw_norm"},
    {"norm", "model.norm", "output_norm"},
    {"output", "lm_head", "output"},
}};

/// The table, Hugging Face's prefix, and how its linear layers lie.
inline constexpr model_names olmo2_names{.tensors = olmo2_tensors, .prefix = "model."};

/// Its settings in GGUF files.
inline constexpr std::array<gguf_line, 1> olmo2_gguf_keys{{
    {"blk.0.attn_q.bias", "attention_bias", gguf_kind::tensor},
}};

/// In GGUF files.
inline constexpr std::array<gguf_architecture, 1> olmo2_gguf{{
    {.name = "olmo2", .model_type = "olmo2", .keys = olmo2_gguf_keys, .has_rms_norms = true},
}};

} // namespace transept::inline TRANSEPT_ABI
