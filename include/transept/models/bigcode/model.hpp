// GPT-BigCode (Ben Allal et al. 2023, "SantaCoder: Don't Reach for the Stars!"; Li et al. 2023, "StarCoder")
// as a type: GPT-2 whose heads share one head of keys and values.
//
//   x = tokens[token] + positions[position];  for each block: x = block(x);  logits = norm(x) · tokensᵀ
#pragma once

#include <cstddef>

#include <transept/models/bigcode/config.hpp>
#include <transept/models/bigcode/names.hpp>
#include <transept/models/decoder.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A GPT-BigCode: `bigcode<starcoder>`, or `bigcode<any_bigcode>`, which runs every shape.
template <bigcode_config Config, class Weights = inference_weights>
struct bigcode : decoder_base<bigcode_family, Config, Weights> {
  static constexpr model_names names = bigcode_names; ///< what files call the parameters
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
      member{"tokens", &bigcode::tokens}, member{"positions", &bigcode::positions},
      member{"blocks", &bigcode::blocks}, member{"norm", &bigcode::norm}, member{"output", &bigcode::output});

  /// Epsilon of all norms.
  norm_settings norms() const { return {.epsilon = this->settings.layer_norm_epsilon}; }
};

/// The same for all blocks.
template <bigcode_config Config>
block_settings settings_of_block(const bigcode<Config>& model, std::size_t, const position_terms&) {
  return {.norm = model.norms(),
          .activation = model.settings.activation,
          .attention = {.scale = model.settings.scale_attn_weights ? attention_scale(model.config.head_width)
                                                                   : 1.0f}};
}

} // namespace transept::inline TRANSEPT_ABI
