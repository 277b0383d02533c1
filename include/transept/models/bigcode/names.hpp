// What Hugging Face and llama.cpp call the parameters of a GPT-BigCode, and llama.cpp its settings.
#pragma once

#include <array>

#include <transept/models/gguf_architecture.hpp>
#include <transept/tensor/names.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A line for each parameter: here, in Hugging Face's files, in GGUF files.
inline constexpr std::array<tensor_names, 10> bigcode_tensors{{
    {"tokens", "transformer.wte", "token_embd"},
    {"positions", "transformer.wpe", "position_embd"},
    {"blocks.*.norm_1", "transformer.h.*.ln_1", "blk.*.attn_norm"},
    {"blocks.*.attention.query_key_value", "transformer.h.*.attn.c_attn", "blk.*.attn_qkv",
     output_order::by_head},
    {"blocks.*.attention.output", "transformer.h.*.attn.c_proj", "blk.*.attn_output"},
    {"blocks.*.norm_2", "transformer.h.*.ln_2", "blk.*.ffn_norm"},
    {"blocks.*.network.up", "transformer.h.*.mlp.c_fc", "blk.*.ffn_up"},
    {"blocks.*.network.down", "transformer.h.*.mlp.c_proj", "blk.*.ffn_down"},
    {"norm", "transformer.ln_f", "output_norm"},
    {"output", "lm_head", "output"},
}};

/// The table, Hugging Face's prefix, and how its linear layers lie.
inline constexpr model_names bigcode_names{.tensors = bigcode_tensors, .prefix = "transformer."};

/// Its settings in GGUF files.
inline constexpr std::array<gguf_line, 1> bigcode_gguf_keys{{
    {{},
     "multi_query",
     gguf_kind::computed,
     [](const gguf_sizes& s) { return s.has_one_key_head() ? 1.0 : 0.0; },
     /*is_flag*/ true},
}};

/// In GGUF files.
inline constexpr std::array<gguf_architecture, 1> bigcode_gguf{{
    {.name = "starcoder", .model_type = "gpt_bigcode", .keys = bigcode_gguf_keys, .rotates = false},
}};

} // namespace transept::inline TRANSEPT_ABI
