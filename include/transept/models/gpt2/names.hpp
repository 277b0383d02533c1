// What Hugging Face and llama.cpp call the parameters of a GPT-2, and llama.cpp its settings.
#pragma once

#include <array>

#include <transept/models/gguf_architecture.hpp>
#include <transept/tensor/names.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A line for each parameter: here, in Hugging Face's files, in GGUF files.
inline constexpr std::array<tensor_names, 10> gpt2_tensors{{
    {"tokens", "wte", "token_embd"},
    {"positions", "wpe", "position_embd"},
    {"blocks.*.norm_1", "h.*.ln_1", "blk.*.attn_norm"},
    {"blocks.*.attention.query_key_value", "h.*.attn.c_attn", "blk.*.attn_qkv"},
    {"blocks.*.attention.output", "h.*.attn.c_proj", "blk.*.attn_output"},
    {"blocks.*.norm_2", "h.*.ln_2", "blk.*.ffn_norm"},
    {"blocks.*.network.up", "h.*.mlp.c_fc", "blk.*.ffn_up"},
    {"blocks.*.network.down", "h.*.mlp.c_proj", "blk.*.ffn_down"},
    {"norm", "ln_f", "output_norm"},
    {"output", "lm_head", "output"},
}};

/// The table, Hugging Face's prefix, and how its linear layers lie.
inline constexpr model_names gpt2_names{
    .tensors = gpt2_tensors, .prefix = "transformer.", .inputs_first = true};

/// In GGUF files.
inline constexpr std::array<gguf_architecture, 1> gpt2_gguf{{
    {.name = "gpt2", .model_type = "gpt2", .rotates = false},
}};

} // namespace transept::inline TRANSEPT_ABI
