// LLaMA (Touvron et al. 2023) and its line as a type: pre-norm blocks with RMS norms, rotary positions,
// grouped queries and a gated network.
//
//   x = tokens[token];  for each block: x = x + attention(norm₁(x)), x = x + network(norm₂(x));
//   logits = norm(x) · outputᵀ
#pragma once

#include <cstddef>

#include <transept/layers/gated_feed_forward.hpp>
#include <transept/layers/positions/terms_of_rotary.hpp>
#include <transept/models/decoder.hpp>
#include <transept/models/llama/config.hpp>
#include <transept/models/llama/names.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A LLaMA or one of its kin: `llama<tiny_llama>`, or `llama<any_llama>`, which runs every shape.
template <llama_config Config, class Weights = inference_weights>
struct llama : decoder_base<llama_family, Config, Weights> {
  static constexpr model_names names = llama_names; ///< what files call the parameters of most
  static constexpr extent width = Config.n_embd;    ///< of the residual stream
  /// Pre-norm, without output norms.
  using block = transept::block<rms_norm<width, Weights>, attention<Config.attention(), Weights>,
                                gated_feed_forward<width, Config.n_inner, Config.mlp_bias, Weights>,
                                rms_norm<0, Weights>>;

  embedding<Config.vocab_size, width, matrix_use::table, Weights> tokens; ///< [vocab_size, n_embd]
  block_list<block, Config.n_layer> blocks;                               ///< first to last
  rms_norm<width, Weights> norm;                                          ///< of the last hidden state
  /// [vocab_size, n_embd]; without rows where it is tied: the output reads `tokens`.
  untied_output<Config.tie_word_embeddings, Config.vocab_size, width, Weights> output;
  rotary_embedding rotary; ///< of settings.rotary

  /// The parts with parameters, in the order of the walk.
  static constexpr auto members =
      members_of(member{"tokens", &llama::tokens}, member{"blocks", &llama::blocks},
                 member{"norm", &llama::norm}, member{"output", &llama::output});

  /// What files call the parameters of this one.
  model_names file_names() const {
    const std::string_view type = this->settings.model_type;
    return type == "phi3" ? phi3_names : type.starts_with("qwen") ? qwen_names : llama_names;
  }
  /// Epsilon of all norms, those of queries and keys too.
  norm_settings norms() const { return {.epsilon = this->settings.rms_norm_eps}; }
};

/// Positions turned and seen as the settings say of block `layer`.
template <llama_config Config>
block_settings settings_of_block(const llama<Config>& model, std::size_t layer, const position_terms& terms) {
  const bool rotates = model.settings.rotates.empty() || model.settings.rotates[layer];
  return {.norm = model.norms(),
          .activation = model.settings.activation,
          .attention = {.scale = attention_scale(model.config.head_width),
                        .sees = visibility_of(model.settings.windows, layer),
                        .rotation = rotates ? terms.rotation : rotation{},
                        .head_norm = model.norms()}};
}

} // namespace transept::inline TRANSEPT_ABI
