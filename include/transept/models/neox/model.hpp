// GPT-NeoX (Black et al. 2022, "GPT-NeoX-20B: An Open-Source Autoregressive Language Model") as a type:
// attention and network read the same x, and part of every head is rotated by its position.
//
//   x = tokens[token];  for each block: x = x + attention(norm₁(x)) + network(norm₂(x));
//   logits = norm(x) · outputᵀ
#pragma once

#include <cstddef>

#include <transept/layers/positions/terms_of_rotary.hpp>
#include <transept/models/decoder.hpp>
#include <transept/models/neox/config.hpp>
#include <transept/models/neox/names.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A GPT-NeoX: `neox<pythia_160m>`, or `neox<any_neox>`, which runs every shape.
template <neox_config Config, class Weights = inference_weights>
struct neox : decoder_base<neox_family, Config, Weights> {
  static constexpr model_names names = neox_names; ///< what files call the parameters
  static constexpr extent width = Config.n_embd;   ///< of the residual stream
  /// Parallel or pre-norm, as the settings say.
  using block = plain_block<attention<Config.attention(), Weights>, Config.n_inner, Weights>;

  embedding<Config.vocab_size, width, matrix_use::table, Weights> tokens; ///< [vocab_size, n_embd]
  block_list<block, Config.n_layer> blocks;                               ///< first to last
  layer_norm<width, true, true, Weights> norm;                            ///< of the last hidden state
  /// [vocab_size, n_embd]; without rows where it is tied: the output reads `tokens`.
  untied_output<Config.tie_word_embeddings, Config.vocab_size, width, Weights> output;
  rotary_embedding rotary; ///< of settings.rotary

  /// The parts with parameters, in the order of the walk.
  static constexpr auto members = members_of(member{"tokens", &neox::tokens}, member{"blocks", &neox::blocks},
                                             member{"norm", &neox::norm}, member{"output", &neox::output});

  /// Epsilon of all norms.
  norm_settings norms() const { return {.epsilon = this->settings.layer_norm_eps}; }
};

/// The same for all blocks: parallel or pre-norm, queries and keys turned by their positions.
template <neox_config Config>
block_settings settings_of_block(const neox<Config>& model, std::size_t, const position_terms& terms) {
  return {.norm = model.norms(),
          .activation = model.settings.activation,
          .attention = {.scale = attention_scale(model.config.head_width), .rotation = terms.rotation},
          .order = model.settings.use_parallel_residual ? block_order::parallel : block_order::pre_norm};
}

} // namespace transept::inline TRANSEPT_ABI
