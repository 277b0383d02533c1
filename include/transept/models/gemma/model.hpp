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
struct gemma {
  using family = std::conditional_t<Config.sandwiched, gemma2_family, gemma_family>;
  static constexpr gemma_config static_config = Config;
  static constexpr model_names names = Config.sandwiched ? gemma2_names : gemma_names;
  static constexpr extent width = Config.n_embd;
  template <class Other>
  using stored_as = gemma<Config, Other>;
  using block = transept::block<rms_norm<width, Weights>, attention<Config.attention(), Weights>,
                                gated_feed_forward<width, Config.n_inner, false, Weights>,
                                rms_norm<Config.sandwiched ? width : 0, Weights>>;

  embedding<Config.vocab_size, width, matrix_use::table, Weights> tokens;
  block_list<block, Config.n_layer> blocks;
  rms_norm<width, Weights> norm;
  untied_output<Config.tie_word_embeddings, Config.vocab_size, width, Weights> output;

  gemma_config config = Config;
  gemma_settings settings;
  rotary_embedding rotary;
  weight_owner memory;

  static constexpr auto members =
      members_of(member{"tokens", &gemma::tokens}, member{"blocks", &gemma::blocks},
                 member{"norm", &gemma::norm}, member{"output", &gemma::output});

  static gemma shaped(const gemma_config& c = Config) {
    auto one = block::shaped(c.n_embd, c.attention(), c.n_inner);
    if constexpr (Config.sandwiched)
      one.attention_norm = one.network_norm = decltype(one.network_norm)::shaped(c.n_embd);
    return assembled<gemma>(c, one);
  }

  void prepare() { rotary = rotary_embedding(settings.rotary); }

  float embedding_scale() const { return std::sqrt(static_cast<float>(config.n_embd)); }
  norm_settings norms() const { return {.epsilon = settings.rms_norm_eps, .weight_offset = 1.0f}; }

  decoder_shape shape() const {
    decoder_shape shape = shape_of(config);
    shape.n_projected = 2 * shape.n_inner;
    shape.is_bounded = false;
    shape.scratch_per_row = rotary.width() + (Config.sandwiched ? shape.n_embd : 0);
    return shape;
  }
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
