// What Hugging Face and llama.cpp call the parameters of a GPT-NeoX, and llama.cpp its settings.
#pragma once

#include <array>

#include <transept/models/gguf_architecture.hpp>
#include <transept/tensor/names.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A line for each parameter: here, in Hugging Face's files, in GGUF files.
inline constexpr std::array<tensor_names, 9> neox_tensors{{
    {"tokens", "gpt_neox.embed_in", "token_embd"},
    {"blocks.*.norm_1", "gpt_neox.layers.*.input_layernorm", "blk.*.attn_norm"},
    {"blocks.*.attention.query_key_value", "gpt_neox.layers.*.attention.query_key_value", "blk.*.attn_qkv",
     output_order::by_head},
    {"blocks.*.attention.output", "gpt_neox.layers.*.attention.dense", "blk.*.attn_output"},
    {"blocks.*.norm_2", "gpt_neox.layers.*.post_attention_layernorm", "blk.*.ffn_norm"},
    {"blocks.*.network.up", "gpt_neox.layers.*.mlp.dense_h_to_4h", "blk.*.ffn_up"},
    {"blocks.*.network.down", "gpt_neox.layers.*.mlp.dense_4h_to_h", "blk.*.ffn_down"},
    {"norm", "gpt_neox.final_layer_norm", "output_norm"},
    {"output", "embed_out", "output"},
}};

/// The table, Hugging Face's prefix, and how its linear layers lie.
inline constexpr model_names neox_names{.tensors = neox_tensors, .prefix = "gpt_neox."};

/// Its settings in GGUF files.
inline constexpr std::array<gguf_line, 2> neox_gguf_keys{{
    {"use_parallel_residual", "use_parallel_residual", gguf_kind::boolean},
    {"blk.0.attn_qkv.bias", "attention_bias", gguf_kind::tensor},
}};

/// In GGUF files.
inline constexpr std::array<gguf_architecture, 1> neox_gguf{{
    {.name = "gptneox", .model_type = "gpt_neox", .keys = neox_gguf_keys, .rotary_part = "rotary_pct"},
}};

} // namespace transept::inline TRANSEPT_ABI
