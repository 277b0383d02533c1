// What Hugging Face and llama.cpp call the parameters of a Falcon, and llama.cpp its settings.
#pragma once

#include <array>
#include <string_view>

#include <transept/models/gguf_architecture.hpp>
#include <transept/tensor/names.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

/// A line for each parameter: here, in Hugging Face's files, in GGUF files. Where attention and network read
/// norms of their own beside each other, these are called otherwise.
constexpr std::array<tensor_names, 9> falcon_tensors_with(const tensor_names& norm_1,
                                                          const tensor_names& norm_2) {
  return {{
      {"tokens", "transformer.word_embeddings", "token_embd"},
      norm_1,
      {"blocks.*.attention.query_key_value", "transformer.h.*.self_attention.query_key_value",
       "blk.*.attn_qkv", output_order::by_head},
      {"blocks.*.attention.output", "transformer.h.*.self_attention.dense", "blk.*.attn_output"},
      norm_2,
      {"blocks.*.network.up", "transformer.h.*.mlp.dense_h_to_4h", "blk.*.ffn_up"},
      {"blocks.*.network.down", "transformer.h.*.mlp.dense_4h_to_h", "blk.*.ffn_down"},
      {"norm", "transformer.ln_f", "output_norm"},
      {"output", "lm_head", "output"},
  }};
}

} // namespace detail

/// Of one norm, or two one after another.
inline constexpr auto falcon_tensors = detail::falcon_tensors_with(
    {"blocks.*.norm_1", "transformer.h.*.input_layernorm", "blk.*.attn_norm"},
    {"blocks.*.norm_2", "transformer.h.*.post_attention_layernorm", "blk.*.ffn_norm"});
/// Of two beside each other.
inline constexpr auto falcon_two_norm_tensors =
    detail::falcon_tensors_with({"blocks.*.norm_1", "transformer.h.*.ln_attn", "blk.*.attn_norm_2"},
                                {"blocks.*.norm_2", "transformer.h.*.ln_mlp", "blk.*.attn_norm"});

/// The table, Hugging Face's prefix, and how its linear layers lie.
inline constexpr model_names falcon_names{.tensors = falcon_tensors, .prefix = "transformer."};
/// The same of two norms beside each other.
inline constexpr model_names falcon_two_norm_names{.tensors = falcon_two_norm_tensors,
                                                   .prefix = "transformer."};

/// Its settings in GGUF files, which follow from its tensors.
inline constexpr std::array<gguf_line, 4> falcon_gguf_keys{{
    {"blk.0.attn_qkv.bias", "bias", gguf_kind::tensor},
    {{},
     "multi_query",
     gguf_kind::computed,
     [](const gguf_sizes& s) { return s.has_one_key_head() ? 1.0 : 0.0; },
     /*is_flag*/ true},
    {{},
     "new_decoder_architecture",
     gguf_kind::computed,
     [](const gguf_sizes& s) {
       return s.has("blk.0.attn_norm_2.weight") || s.has_some_key_heads() ? 1.0 : 0.0;
     },
     /*is_flag*/ true},
    {{},
     "num_ln_in_parallel_attn",
     gguf_kind::computed,
     [](const gguf_sizes& s) { return s.has("blk.0.attn_norm_2.weight") ? 2.0 : 1.0; }},
}};

/// In GGUF files.
inline constexpr std::array<gguf_architecture, 1> falcon_gguf{{
    {.name = "falcon", .model_type = "falcon", .keys = falcon_gguf_keys},
}};

} // namespace transept::inline TRANSEPT_ABI
