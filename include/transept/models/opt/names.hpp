// What Hugging Face calls the parameters of an OPT, and what they are called in GGUF files.
#pragma once

#include <array>

#include <transept/tensor/names.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A line for each parameter: here, in Hugging Face's files, in GGUF files.
inline constexpr std::array<tensor_names, 12> opt_tensors{{
    {"tokens", "model.decoder.embed_tokens", "token_embd"},
    {"positions", "model.decoder.embed_positions", "position_embd"},
    {"project_in", "model.decoder.project_in", "token_embd_proj"},
    {"blocks.*.norm_1", "model.decoder.layers.*.self_attn_layer_norm", "blk.*.attn_norm"},
    {"blocks.*.attention.query_key_value", "model.decoder.layers.*.self_attn.{q,k,v}_proj",
     "blk.*.attn_{q,k,v}"},
    {"blocks.*.attention.output", "model.decoder.layers.*.self_attn.out_proj", "blk.*.attn_output"},
    {"blocks.*.norm_2", "model.decoder.layers.*.final_layer_norm", "blk.*.ffn_norm"},
    {"blocks.*.network.up", "model.decoder.layers.*.fc1", "blk.*.ffn_up"},
    {"blocks.*.network.down", "model.decoder.layers.*.fc2", "blk.*.ffn_down"},
    {"norm", "model.decoder.final_layer_norm", "output_norm"},
    {"project_out", "model.decoder.project_out", "output_proj"},
    {"output", "lm_head", "output"},
}};

/// The table, Hugging Face's prefix, and how its linear layers lie.
inline constexpr model_names opt_names{.tensors = opt_tensors, .prefix = "model."};

} // namespace transept::inline TRANSEPT_ABI
