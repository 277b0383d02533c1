// GPT-Neo (Black et al. 2021, "GPT-Neo: Large Scale Autoregressive Language Modeling with Mesh-TensorFlow")
// as a type: GPT-2's blocks, global and local in turn, whose scores are not scaled.
//
//   x = tokens[token] + positions[position];  for each block: x = block(x);  logits = norm(x) · tokensᵀ
#pragma once

#include <cstddef>

#include <transept/models/decoder.hpp>
#include <transept/models/gpt_neo/config.hpp>
#include <transept/models/gpt_neo/names.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A GPT-Neo: `gpt_neo<gpt_neo_125m>`, or `gpt_neo<any_gpt_neo>`, which runs every shape.
template <gpt_neo_config Config, class Weights = inference_weights>
struct gpt_neo : decoder_base<gpt_neo_family, Config, Weights> {
  static constexpr model_names names = gpt_neo_names; ///< what files call the parameters
  static constexpr extent width = Config.n_embd;      ///< of the residual stream
  using block = plain_block<attention<Config.attention(), Weights>, Config.n_inner, Weights>; ///< pre-norm

  embedding<Config.vocab_size, width, matrix_use::table, Weights> tokens;      ///< [vocab_size, n_embd]
  embedding<Config.n_positions, width, matrix_use::lookup, Weights> positions; ///< [n_positions, n_embd]
  block_list<block, Config.n_layer> blocks;                                    ///< first to last
  layer_norm<width, true, true, Weights> norm;                                 ///< of the last hidden state
  /// [vocab_size, n_embd]; without rows where it is tied: the output reads `tokens`.
  untied_output<Config.tie_word_embeddings, Config.vocab_size, width, Weights> output;

  /// The parts with parameters, in the order of the walk.
  static constexpr auto members = members_of(
      member{"tokens", &gpt_neo::tokens}, member{"positions", &gpt_neo::positions},
      member{"blocks", &gpt_neo::blocks}, member{"norm", &gpt_neo::norm}, member{"output", &gpt_neo::output});

  /// Epsilon of all norms.
  norm_settings norms() const { return {.epsilon = this->settings.layer_norm_epsilon}; }
};

/// A block sees what the settings say of block `layer`; scores are as they are.
template <gpt_neo_config Config>
block_settings settings_of_block(const gpt_neo<Config>& model, std::size_t layer, const position_terms&) {
  return {.norm = model.norms(),
          .activation = model.settings.activation,
          .attention = {.scale = 1.0f, .sees = visibility_of(model.settings.windows, layer)}};
}

} // namespace transept::inline TRANSEPT_ABI
