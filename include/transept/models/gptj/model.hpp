// GPT-J (Wang & Komatsuzaki 2021, "GPT-J-6B: A 6 Billion Parameter Autoregressive Language Model") as a type:
// attention and network read the same norm of x, and part of every head is rotated, pairs side by side.
//
//   x = tokens[token];  for each block: n = norm₁(x), x = x + attention(n) + network(n);
//   logits = norm(x) · outputᵀ + bias
#pragma once

#include <cstddef>

#include <transept/layers/positions/terms_of_rotary.hpp>
#include <transept/models/decoder.hpp>
#include <transept/models/gptj/config.hpp>
#include <transept/models/gptj/names.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A GPT-J: `gptj<gptj_6b>`, or `gptj<any_gptj>`, which runs every shape.
template <gptj_config Config, class Weights = inference_weights>
struct gptj : decoder_base<gptj_family, Config, Weights> {
  static constexpr model_names names = gptj_names; ///< what files call the parameters
  static constexpr extent width = Config.n_embd;   ///< of the residual stream
  /// Parallel, with one norm.
  using block = one_norm_block<attention<Config.attention(), Weights>, Config.n_inner, Weights>;

  embedding<Config.vocab_size, width, matrix_use::table, Weights> tokens; ///< [vocab_size, n_embd]
  block_list<block, Config.n_layer> blocks;                               ///< first to last
  layer_norm<width, true, true, Weights> norm;                            ///< of the last hidden state
  /// [vocab_size, n_embd], and the logits' bias.
  biased_output<Config.tie_word_embeddings, Config.vocab_size, width, Weights> output;
  rotary_embedding rotary; ///< of settings.rotary

  /// The parts with parameters, in the order of the walk.
  static constexpr auto members = members_of(member{"tokens", &gptj::tokens}, member{"blocks", &gptj::blocks},
                                             member{"norm", &gptj::norm}, member{"output", &gptj::output});

  /// Epsilon of all norms.
  norm_settings norms() const { return {.epsilon = this->settings.layer_norm_epsilon}; }
};

/// The same for all blocks.
template <gptj_config Config>
block_settings settings_of_block(const gptj<Config>& model, std::size_t, const position_terms& terms) {
  return {.norm = model.norms(),
          .activation = model.settings.activation,
          .attention = {.scale = attention_scale(model.config.head_width), .rotation = terms.rotation},
          .order = block_order::parallel_one_norm};
}

} // namespace transept::inline TRANSEPT_ABI
