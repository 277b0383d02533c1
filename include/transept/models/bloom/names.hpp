// What Hugging Face and llama.cpp call the parameters of a BLOOM, and llama.cpp its settings.
#pragma once

#include <array>

#include <transept/models/gguf_architecture.hpp>
#include <transept/tensor/names.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A line for each parameter: here, in Hugging Face's files, in GGUF files.
inline constexpr std::array<tensor_names, 10> bloom_tensors{{
    {"tokens", "transformer.word_embeddings", "token_embd"},
    {"tokens_norm", "transformer.word_embeddings_layernorm", "token_embd_norm"},
    {"blocks.*.norm_1", "transformer.h.*.input_layernorm", "blk.*.attn_norm"},
    {"blocks.*.attention.query_key_value", "transformer.h.*.self_attention.query_key_value", "blk.*.attn_qkv",
     output_order::by_head},
    {"blocks.*.attention.output", "transformer.h.*.self_attention.dense", "blk.*.attn_output"},
    {"blocks.*.norm_2", "transformer.h.*.post_attention_layernorm", "blk.*.ffn_norm"},
    {"blocks.*.network.up", "transformer.h.*.mlp.dense_h_to_4h", "blk.*.ffn_up"},
    {"blocks.*.network.down", "transformer.h.*.mlp.dense_4h_to_h", "blk.*.ffn_down"},
    {"norm", "transformer.ln_f", "output_norm"},
    {"output", "lm_head", "output"},
}};

/// The table, Hugging Face's prefix, and how its linear layers lie.
inline constexpr model_names bloom_names{.tensors = bloom_tensors, .prefix = "transformer."};

/// In GGUF files.
inline constexpr std::array<gguf_architecture, 1> bloom_gguf{{
    {.name = "bloom", .model_type = "bloom", .rotates = false},
}};

} // namespace transept::inline TRANSEPT_ABI
