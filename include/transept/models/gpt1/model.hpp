// GPT (Radford et al. 2018, "Improving Language Understanding by Generative Pre-Training") as a type:
// post-norm blocks, and no norm behind the last.
//
//   x = tokens[token] + positions[position];
//   for each block: x = norm₁(x + attention(x)), x = norm₂(x + network(x));  logits = x · tokensᵀ
#pragma once

#include <cstddef>

#include <transept/models/decoder.hpp>
#include <transept/models/gpt1/config.hpp>
#include <transept/models/gpt1/names.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A GPT: `gpt1<openai_gpt>`, or `gpt1<any_gpt1>`, which runs every shape.
template <gpt1_config Config, class Weights = inference_weights>
struct gpt1 : decoder_base<gpt1_family, Config, Weights> {
  static constexpr model_names names = gpt1_names; ///< what files call the parameters
  static constexpr extent width = Config.n_embd;   ///< of the residual stream
  /// Post-norm.
  using block = plain_block<attention<Config.attention(), Weights>, Config.n_inner, Weights>;

  embedding<Config.vocab_size, width, matrix_use::table, Weights> tokens;      ///< [vocab_size, n_embd]
  embedding<Config.n_positions, width, matrix_use::lookup, Weights> positions; ///< [n_positions, n_embd]
  block_list<block, Config.n_layer> blocks;                                    ///< first to last
  /// [vocab_size, n_embd]; without rows where it is tied: the output reads `tokens`.
  untied_output<Config.tie_word_embeddings, Config.vocab_size, width, Weights> output;

  /// The parts with parameters, in the order of the walk.
  static constexpr auto members =
      members_of(member{"tokens", &gpt1::tokens}, member{"positions", &gpt1::positions},
                 member{"blocks", &gpt1::blocks}, member{"output", &gpt1::output});

  /// Epsilon of all norms.
  norm_settings norms() const { return {.epsilon = this->settings.layer_norm_epsilon}; }
};

/// The same for all blocks, which are post-norm ones.
template <gpt1_config Config>
block_settings settings_of_block(const gpt1<Config>& model, std::size_t, const position_terms&) {
  return {.norm = model.norms(),
          .activation = model.settings.activation,
          .attention = {.scale = attention_scale(model.config.head_width)},
          .order = block_order::post_norm};
}

} // namespace transept::inline TRANSEPT_ABI
