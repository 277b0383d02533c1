// What Hugging Face and llama.cpp call the parameters of a StableLM, and llama.cpp its settings.
#pragma once

#include <array>

#include <transept/models/gguf_architecture.hpp>
#include <transept/tensor/names.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A line for each parameter: here, in Hugging Face's files, in GGUF files.
inline constexpr std::array<tensor_names, 11> stablelm_tensors{{
    {"tokens", "model.embed_tokens", "token_embd"},
    {"blocks.*.norm_1", "model.layers.*.input_layernorm", "blk.*.attn_norm"},
    {"blocks.*.attention.query_key_value", "model.layers.*.self_attn.{q,k,v}_proj", "blk.*.attn_{q,k,v}"},
    {"blocks.*.attention.output", "model.layers.*.self_attn.o_proj", "blk.*.attn_output"},
    {"blocks.*.attention.query_norm", "model.layers.*.self_attn.q_layernorm.norms.{}", "blk.*.attn_q_norm"},
    {"blocks.*.attention.key_norm", "model.layers.*.self_attn.k_layernorm.norms.{}", "blk.*.attn_k_norm"},
    {"blocks.*.norm_2", "model.layers.*.post_attention_layernorm", "blk.*.ffn_norm"},
    {"blocks.*.network.gate_up", "model.layers.*.mlp.{gate,up}_proj", "blk.*.ffn_{gate,up}"},
    {"blocks.*.network.down", "model.layers.*.mlp.down_proj", "blk.*.ffn_down"},
    {"norm", "model.norm", "output_norm"},
    {"output", "lm_head", "output"},
}};

/// The table, Hugging Face's prefix, and how its linear layers lie.
inline constexpr model_names stablelm_names{.tensors = stablelm_tensors, .prefix = "model."};

/// Its settings in GGUF files. (Their use_parallel_residual is true of models that are not parallel, too.)
inline constexpr std::array<gguf_line, 3> stablelm_gguf_keys{{
    {"blk.0.attn_q.bias", "use_qkv_bias", gguf_kind::tensor},
    {"blk.0.attn_q_norm.weight", "qk_layernorm", gguf_kind::tensor},
    {{},
     "use_parallel_residual",
     gguf_kind::computed,
     [](const gguf_sizes& s) { return s.has("blk.0.ffn_norm.weight") ? 0.0 : 1.0; },
     /*is_flag*/ true},
}};

/// In GGUF files.
inline constexpr std::array<gguf_architecture, 1> stablelm_gguf{{
    {.name = "stablelm",
     .model_type = "stablelm",
     .keys = stablelm_gguf_keys,
     .rotary_part = "partial_rotary_factor"},
}};

} // namespace transept::inline TRANSEPT_ABI
