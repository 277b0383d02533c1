// StarCoder2 (Lozhkov et al. 2024, "StarCoder 2 and The Stack v2: The Next Generation") as a type: GPT-2's
// blocks with rotated positions, fewer heads of keys and values, and sliding windows.
//
//   x = tokens[token];  for each block: x = block(x);  logits = norm(x) · tokensᵀ
#pragma once

#include <cstddef>

#include <transept/layers/positions/terms_of_rotary.hpp>
#include <transept/models/decoder.hpp>
#include <transept/models/starcoder2/config.hpp>
#include <transept/models/starcoder2/names.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A StarCoder2: `starcoder2<starcoder2_3b>`, or `starcoder2<any_starcoder2>`, which runs every shape.
template <starcoder2_config Config, class Weights = inference_weights>
struct starcoder2 : decoder_base<starcoder2_family, Config, Weights> {
  static constexpr model_names names = starcoder2_names; ///< what files call the parameters
  static constexpr extent width = Config.n_embd;         ///< of the residual stream
  /// Pre-norm.
  using block =
      transept::block<layer_norm<width, true, true, Weights>, attention<Config.attention(), Weights>,
                      feed_forward<width, Config.n_inner, Config.mlp_bias, Weights>, rms_norm<0, Weights>>;

  embedding<Config.vocab_size, width, matrix_use::table, Weights> tokens; ///< [vocab_size, n_embd]
  block_list<block, Config.n_layer> blocks;                               ///< first to last
  layer_norm<width, true, true, Weights> norm;                            ///< of the last hidden state
  /// [vocab_size, n_embd]; without rows where it is tied: the output reads `tokens`.
  untied_output<Config.tie_word_embeddings, Config.vocab_size, width, Weights> output;
  rotary_embedding rotary; ///< of settings.rotary

  /// The parts with parameters, in the order of the walk.
  static constexpr auto members =
      members_of(member{"tokens", &starcoder2::tokens}, member{"blocks", &starcoder2::blocks},
                 member{"norm", &starcoder2::norm}, member{"output", &starcoder2::output});

  /// Epsilon of all norms.
  norm_settings norms() const { return {.epsilon = this->settings.norm_epsilon}; }
};

/// Positions turned, and seen as the settings say of block `layer`.
template <starcoder2_config Config>
block_settings settings_of_block(const starcoder2<Config>& model, std::size_t layer,
                                 const position_terms& terms) {
  return {.norm = model.norms(),
          .activation = model.settings.activation,
          .attention = {.scale = attention_scale(model.config.head_width),
                        .sees = visibility_of(model.settings.windows, layer),
                        .rotation = terms.rotation}};
}

} // namespace transept::inline TRANSEPT_ABI
