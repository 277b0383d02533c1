// What Hugging Face and llama.cpp call the parameters of an MPT, and llama.cpp its settings.
#pragma once

#include <array>

#include <transept/models/gguf_architecture.hpp>
#include <transept/tensor/names.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A line for each parameter: here, in Hugging Face's files, in GGUF files.
inline constexpr std::array<tensor_names, 9> mpt_tensors{{
    {"tokens", "transformer.wte", "token_embd"},
    {"blocks.*.norm_1", "transformer.blocks.*.norm_1", "blk.*.attn_norm"},
    {"blocks.*.attention.query_key_value", "transformer.blocks.*.attn.Wqkv", "blk.*.attn_qkv"},
    {"blocks.*.attention.output", "transformer.blocks.*.attn.out_proj", "blk.*.attn_output"},
    {"blocks.*.norm_2", "transformer.blocks.*.norm_2", "blk.*.ffn_norm"},
    {"blocks.*.network.up", "transformer.blocks.*.ffn.up_proj", "blk.*.ffn_up"},
    {"blocks.*.network.down", "transformer.blocks.*.ffn.down_proj", "blk.*.ffn_down"},
    {"norm", "transformer.norm_f", "output_norm"},
    {"output", "lm_head", "output"},
}};

/// The table, Hugging Face's prefix, and how its linear layers lie.
inline constexpr model_names mpt_names{.tensors = mpt_tensors, .prefix = "transformer."};

/// Its settings in GGUF files.
inline constexpr std::array<gguf_line, 2> mpt_gguf_keys{{
    {"attention.max_alibi_bias", "attn_config.alibi_bias_max"},
    {"attention.clamp_kqv", "attn_config.clip_qkv"},
}};

/// In GGUF files.
inline constexpr std::array<gguf_architecture, 1> mpt_gguf{{
    {.name = "mpt", .model_type = "mpt", .keys = mpt_gguf_keys, .rotates = false},
}};

} // namespace transept::inline TRANSEPT_ABI
