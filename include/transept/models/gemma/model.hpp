// Gemma 1 and 2 (Gemma Team 2024) as a type: LLaMA's parts, with RMS norms of weight 1 + w, embeddings scaled
// by the root of the width, and a gate of GELU; Gemma 2 norms what attention and network add, too, and caps
// scores and logits softly.
//
//   x = √width · tokens[token];  for each block: x = block(x);  logits = cap(norm(x) · tokensᵀ)
#pragma once

#include <cmath>
#include <cstddef>
#include <type_traits>

#include <transept/layers/gated_feed_forward.hpp>
#include <transept/layers/positions/terms_of_rotary.hpp>
#include <transept/models/decoder.hpp>
#include <transept/models/gemma/config.hpp>
#include <transept/models/gemma/names.hpp>

namespace transept::inline TRANSEPT_ABI {

template <gemma_config Config, class Weights = inference_weights>
struct gemma
    : decoder_base<std::conditional_t<Config.sandwiched, gemma2_family, gemma_family>, Config, Weights> {
  static constexpr model_names names = Config.sandwiched ? gemma2_names : gemma_names;
  static constexpr extent width = Config.n_embd;
  using block = transept::block<rms_norm<width, Weights>, attention<Config.attention(), Weights>,
                                gated_feed_forward<width, Config.n_inner, false, Weights>,
                                rms_norm<Config.sandwiched ? width : 0, Weights>>;

  embedding<Config.vocab_size, width, matrix_use::table, Weights> tokens;
  block_list<block, Config.n_layer> blocks;
  rms_norm<width, Weights> norm;
  untied_output<Config.tie_word_embeddings, Config.vocab_size, width, Weights> output;
  rotary_embedding rotary;

  static constexpr auto members =
      members_of(member{"tokens", &gemma::tokens}, member{"blocks", &gemma::blocks},
                 member{"norm", &gemma::norm}, member{"output", &gemma::output});

  float embedding_scale() const { return std::sqrt(static_cast<float>(this->config.n_embd)); }
  norm_settings norms() const { return {.epsilon = this->settings.rms_norm_eps, .weight_offset = 1.0f}; }
};

template <gemma_config Config>
block_settings settings_of_block(const gemma<Config>& model, std::size_t layer, const position_terms& terms) {
  const gemma_settings& s = model.settings;
  block_settings settings{
      .norm = model.norms(),
      .activation = s.activation,
      .attention = {.scale = attention_scale(model.config.head_width), .rotation = terms.rotation}};
  if constexpr (Config.sandwiched) {
    settings.attention.scale = 1.0f / std::sqrt(s.query_pre_attn_scalar);
    settings.attention.soft_cap = s.attn_logit_soft_cap;
    settings.attention.sees = visibility_of(s.windows, layer);
  }
  return settings;
}

} // namespace transept::inline TRANSEPT_ABI
