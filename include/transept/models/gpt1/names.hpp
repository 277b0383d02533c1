// What Hugging Face calls the parameters of a GPT, and what they are called in GGUF files.
#pragma once

#include <array>

#include <transept/tensor/names.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A line for each parameter: here, in Hugging Face's files, in GGUF files.
inline constexpr std::array<tensor_names, 9> gpt1_tensors{{
    {"tokens", "transformer.tokens_embed", "token_embd"},
    {"positions", "transformer.positions_embed", "position_embd"},
    {"blocks.*.attention.query_key_value", "transformer.h.*.attn.c_attn", "blk.*.attn_qkv"},
    {"blocks.*.attention.output", "transformer.h.*.attn.c_proj", "blk.*.attn_output"},
    {"blocks.*.norm_1", "transformer.h.*.ln_1", "blk.*.attn_output_norm"},
    {"blocks.*.network.up", "transformer.h.*.mlp.c_fc", "blk.*.ffn_up"},
    {"blocks.*.network.down", "transformer.h.*.mlp.c_proj", "blk.*.ffn_down"},
    {"blocks.*.norm_2", "transformer.h.*.ln_2", "blk.*.layer_output_norm"},
    {"output", "lm_head", "output"},
}};

/// The table, Hugging Face's prefix, and how its linear layers lie.
inline constexpr model_names gpt1_names{
    .tensors = gpt1_tensors, .prefix = "transformer.", .inputs_first = true};

} // namespace transept::inline TRANSEPT_ABI
