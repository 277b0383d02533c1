// What Hugging Face and llama.cpp call the parameters of a Phi, and llama.cpp its settings.
#pragma once

#include <array>

#include <transept/models/gguf_architecture.hpp>
#include <transept/tensor/names.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A line for each parameter: here, in Hugging Face's files, in GGUF files.
inline constexpr std::array<tensor_names, 8> phi_tensors{{
    {"tokens", "model.embed_tokens", "token_embd"},
    {"blocks.*.norm_1", "model.layers.*.input_layernorm", "blk.*.attn_norm"},
    {"blocks.*.attention.query_key_value", "model.layers.*.self_attn.{q,k,v}_proj", "blk.*.attn_{q,k,v}"},
    {"blocks.*.attention.output", "model.layers.*.self_attn.dense", "blk.*.attn_output"},
    {"blocks.*.network.up", "model.layers.*.mlp.fc1", "blk.*.ffn_up"},
    {"blocks.*.network.down", "model.layers.*.mlp.fc2", "blk.*.ffn_down"},
    {"norm", "model.final_layernorm", "output_norm"},
    {"output", "lm_head", "output"},
}};

/// The table, Hugging Face's prefix, and how its linear layers lie.
inline constexpr model_names phi_names{.tensors = phi_tensors, .prefix = "model."};

/// In GGUF files.
inline constexpr std::array<gguf_architecture, 1> phi_gguf{{
    {.name = "phi2", .model_type = "phi", .rotary_part = "partial_rotary_factor"},
}};

} // namespace transept::inline TRANSEPT_ABI
