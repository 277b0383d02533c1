// What Hugging Face and llama.cpp call the parameters of Gemma 1 and 2: the norm before the network has
// another name in each.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include <transept/models/gguf_architecture.hpp>
#include <transept/tensor/names.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

/// The same lines, but that llama.cpp's files hold the norms' weights with 1 added.
template <std::size_t Lines>
constexpr std::array<tensor_names, Lines> with_norms_one_more(std::array<tensor_names, Lines> names) {
  for (tensor_names& each : names)
    if (each.gguf.find("norm") != std::string_view::npos) each.gguf_offset = 1.0f;
  return names;
}

} // namespace detail

/// A line for each of Gemma 1's parameters: here, in Hugging Face's files, in GGUF files.
inline constexpr auto gemma_tensors = detail::with_norms_one_more(std::array<tensor_names, 9>{{
    {"tokens", "model.embed_tokens", "token_embd"},
    {"blocks.*.norm_1", "model.layers.*.input_layernorm", "blk.*.attn_norm"},
    {"blocks.*.attention.query_key_value", "model.layers.*.self_attn.{q,k,v}_proj", "blk.*.attn_{q,k,v}"},
    {"blocks.*.attention.output", "model.layers.*.self_attn.o_proj", "blk.*.attn_output"},
    {"blocks.*.norm_2", "model.layers.*.post_attention_layernorm", "blk.*.ffn_norm"},
    {"blocks.*.network.gate_up", "model.layers.*.mlp.{gate,up}_proj", "blk.*.ffn_{gate,up}"},
    {"blocks.*.network.down", "model.layers.*.mlp.down_proj", "blk.*.ffn_down"},
    {"norm", "model.norm", "output_norm"},
    {"output", "lm_head", "output"},
}});

/// Gemma 2's: Gemma 1's and the output norms, whose coming renames `norm_2`.
inline constexpr auto gemma2_tensors = [] {
  std::array<tensor_names, 11> names{};
  std::copy(gemma_tensors.begin(), gemma_tensors.end(), names.begin());
  for (tensor_names& each : names)
    if (each.here == "blocks.*.norm_2") each.huggingface = "model.layers.*.pre_feedforward_layernorm";
  names[9] = {"blocks.*.attention_norm", "model.layers.*.post_attention_layernorm",
              "blk.*.post_attention_norm"};
  names[10] = {"blocks.*.network_norm", "model.layers.*.post_feedforward_layernorm", "blk.*.post_ffw_norm"};
  return detail::with_norms_one_more(names);
}();

inline constexpr model_names gemma_names{.tensors = gemma_tensors, .prefix = "model."};   ///< Gemma 1's
inline constexpr model_names gemma2_names{.tensors = gemma2_tensors, .prefix = "model."}; ///< Gemma 2's

/// Gemma 2's settings in GGUF files. (llama.cpp knows the 27B, where scores are scaled otherwise, by its
/// blocks.)
inline constexpr std::array<gguf_line, 4> gemma2_gguf_keys{{
    {"attn_logit_softcapping", "attn_logit_softcapping"},
    {"final_logit_softcapping", "final_logit_softcapping"},
    {"blk.0.attn_q.bias", "attention_bias", gguf_kind::tensor},
    {{},
     "query_pre_attn_scalar",
     gguf_kind::computed,
     [](const gguf_sizes& s) -> double { return s.n_layer == 46 ? s.n_embd / s.n_head : s.head_width; }},
}};

/// Gemma 1 in GGUF files.
inline constexpr std::array<gguf_architecture, 1> gemma_gguf{{
    {.name = "gemma", .model_type = "gemma", .has_rms_norms = true},
}};
/// Gemma 2 in GGUF files.
inline constexpr std::array<gguf_architecture, 1> gemma2_gguf{{
    {.name = "gemma2",
     .model_type = "gemma2",
     .keys = gemma2_gguf_keys,
     .has_rms_norms = true,
     .has_window = true,
     .usual_window = 4096},
}};

} // namespace transept::inline TRANSEPT_ABI
