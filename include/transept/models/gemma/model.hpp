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

/// A Gemma 1 or, where its shape is sandwiched, 2: `gemma<gemma_7b>`; `gemma<any_gemma>` and
/// `gemma<any_gemma2>` run every shape.
template <gemma_config Config, class Weights = inference_weights>
struct gemma
    : decoder_base<std::conditional_t<Config.sandwiched, gemma2_family, gemma_family>, Config, Weights> {
  static constexpr model_names names = Config.sandwiched ? gemma2_names : gemma_names; ///< in files
  static constexpr extent width = Config.n_embd; ///< of the residual stream
  /// Pre-norm, in Gemma 2 with output norms.
  using block = transept::block<rms_norm<width, Weights>, attention<Config.attention(), Weights>,
                                gated_feed_forward<width, Config.n_inner, false, Weights>,
                                rms_norm<Config.sandwiched ? width : 0, Weights>>;

  embedding<Config.vocab_size, width, matrix_use::table, Weights> tokens; ///< [vocab_size, n_embd]
  block_list<block, Config.n_layer> blocks;                               ///< first to last
  rms_norm<width, Weights> norm;                                          ///< of the last hidden state
  /// [vocab_size, n_embd]; without rows where it is tied: the output reads `tokens`.
  untied_output<Config.tie_word_embeddings, Config.vocab_size, width, Weights> output;
  rotary_embedding rotary; ///< of settings.rotary

  /// The parts with parameters, in the order of the walk.
  static constexpr auto members =
      members_of(member{"tokens", &gemma::tokens}, member{"blocks", &gemma::blocks},
                 member{"norm", &gemma::norm}, member{"output", &gemma::output});

  /// √n_embd, which the tokens' embeddings are multiplied by.
  float embedding_scale() const { return std::sqrt(static_cast<float>(this->config.n_embd)); }
  /// Epsilon of all norms, and that their weights are 1 + what files hold.
  norm_settings norms() const { return {.epsilon = this->settings.rms_norm_eps, .weight_offset = 1.0f}; }
};

/// Gemma 2's blocks cap and scale their scores, and see what the settings say of block `layer`.
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
