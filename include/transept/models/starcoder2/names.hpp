// What Hugging Face and llama.cpp call the parameters of a StarCoder2, and llama.cpp its settings.
#pragma once

#include <array>

#include <transept/models/gguf_architecture.hpp>
#include <transept/tensor/names.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A line for each parameter: here, in Hugging Face's files, in GGUF files.
inline constexpr std::array<tensor_names, 9> starcoder2_tensors{{
    {"tokens", "model.embed_tokens", "token_embd"},
    {"blocks.*.norm_1", "model.layers.*.input_layernorm", "blk.*.attn_norm"},
    {"blocks.*.attention.query_key_value", "model.layers.*.self_attn.{q,k,v}_proj", "blk.*.attn_{q,k,v}"},
    {"blocks.*.attention.output", "model.layers.*.self_attn.o_proj", "blk.*.attn_output"},
    {"blocks.*.norm_2", "model.layers.*.post_attention_layernorm", "blk.*.ffn_norm"},
    {"blocks.*.network.up", "model.layers.*.mlp.c_fc", "blk.*.ffn_up"},
    {"blocks.*.network.down", "model.layers.*.mlp.c_proj", "blk.*.ffn_down"},
    {"norm", "model.norm", "output_norm"},
    {"output", "lm_head", "output"},
}};

/// The table, Hugging Face's prefix, and how its linear layers lie.
inline constexpr model_names starcoder2_names{.tensors = starcoder2_tensors, .prefix = "model."};

/// Its settings in GGUF files.
inline constexpr std::array<gguf_line, 1> starcoder2_gguf_keys{{
    {"blk.0.attn_q.bias", "use_bias", gguf_kind::tensor},
}};

/// In GGUF files.
inline constexpr std::array<gguf_architecture, 1> starcoder2_gguf{{
    {.name = "starcoder2", .model_type = "starcoder2", .keys = starcoder2_gguf_keys, .has_window = true},
}};

} // namespace transept::inline TRANSEPT_ABI
