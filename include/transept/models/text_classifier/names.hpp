// What a classifier's parameters are called in files: as in the program of *Transformers from scratch*.
#pragma once

#include <array>

#include <transept/tensor/names.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A line for each parameter: here, in safetensors, in GGUF files.
inline constexpr std::array<tensor_names, 9> text_classifier_tensors{{
    {"tokens", "token_embedding", "token_embd"},
    {"positions", "pos_embedding", "position_embd"},
    {"blocks.*.attention.query_key_value", "tblocks.*.attention.{toqueries,tokeys,tovalues}",
     "blk.*.attn_{q,k,v}"},
    {"blocks.*.attention.output", "tblocks.*.attention.unifyheads", "blk.*.attn_output"},
    {"blocks.*.norm_1", "tblocks.*.norm1", "blk.*.attn_output_norm"},
    {"blocks.*.network.up", "tblocks.*.ff.0", "blk.*.ffn_up"},
    {"blocks.*.network.down", "tblocks.*.ff.2", "blk.*.ffn_down"},
    {"blocks.*.norm_2", "tblocks.*.norm2", "blk.*.layer_output_norm"},
    {"classifier", "toprobs", "cls.output"},
}};

/// The table.
inline constexpr model_names text_classifier_names{.tensors = text_classifier_tensors};

} // namespace transept::inline TRANSEPT_ABI
