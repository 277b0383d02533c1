// What Hugging Face and llama.cpp call the parameters of a GPT-J.
#pragma once

#include <array>

#include <transept/tensor/names.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A line for each parameter: here, in Hugging Face's files, in GGUF files.
inline constexpr std::array<tensor_names, 8> gptj_tensors{{
    {"tokens", "transformer.wte", "token_embd"},
    {"blocks.*.norm_1", "transformer.h.*.ln_1", "blk.*.attn_norm"},
    {"blocks.*.attention.query_key_value", "transformer.h.*.attn.{q,k,v}_proj", "blk.*.attn_{q,k,v}"},
    {"blocks.*.attention.output", "transformer.h.*.attn.out_proj", "blk.*.attn_output"},
    {"blocks.*.network.up", "transformer.h.*.mlp.fc_in", "blk.*.ffn_up"},
    {"blocks.*.network.down", "transformer.h.*.mlp.fc_out", "blk.*.ffn_down"},
    {"norm", "transformer.ln_f", "output_norm"},
    {"output", "lm_head", "output"},
}};

/// The table, Hugging Face's prefix, and how its linear layers lie.
inline constexpr model_names gptj_names{.tensors = gptj_tensors, .prefix = "transformer."};

} // namespace transept::inline TRANSEPT_ABI
