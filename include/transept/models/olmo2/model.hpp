// OLMo 2 (OLMo et al. 2024, "2 OLMo 2 Furious") as a type: LLaMA's parts, where not what attention and
// network read is normed but what they add, and so are queries and keys.
//
//   x = tokens[token];  for each block: x = x + norm(attention(x)), x = x + norm(network(x));
//   logits = norm(x) · outputᵀ
#pragma once

#include <cstddef>

#include <transept/layers/gated_feed_forward.hpp>
#include <transept/layers/positions/terms_of_rotary.hpp>
#include <transept/models/decoder.hpp>
#include <transept/models/olmo2/config.hpp>
#include <transept/models/olmo2/names.hpp>

namespace transept::inline TRANSEPT_ABI {

/// An OLMo 2: `olmo2<olmo2_7b>`, or `olmo2<any_olmo2>`, which runs every shape.
template <olmo2_config Config, class Weights = inference_weights>
struct olmo2 : decoder_base<olmo2_family, Config, Weights> {
  static constexpr model_names names = olmo2_names; ///< what files call the parameters
  static constexpr extent width = Config.n_embd;    ///< of the residual stream
  /// Output norms alone.
  using block =
      transept::block<rms_norm<0, Weights>, attention<Config.attention(), Weights>,
                      gated_feed_forward<width, Config.n_inner, false, Weights>, rms_norm<width, Weights>>;

  embedding<Config.vocab_size, width, matrix_use::table, Weights> tokens; ///< [vocab_size, n_embd]
  block_list<block, Config.n_layer> blocks;                               ///< first to last
  rms_norm<width, Weights> norm;                                          ///< of the last hidden state
  /// [vocab_size, n_embd]; without rows where it is tied: the output reads `tokens`.
  untied_output<Config.tie_word_embeddings, Config.vocab_size, width, Weights> output;
  rotary_embedding rotary; ///< of settings.rotary

  /// The parts with parameters, in the order of the walk.
  static constexpr auto members =
      members_of(member{"tokens", &olmo2::tokens}, member{"blocks", &olmo2::blocks},
                 member{"norm", &olmo2::norm}, member{"output", &olmo2::output});

  /// Epsilon of all norms, those of queries and keys too.
  norm_settings norms() const { return {.epsilon = this->settings.rms_norm_eps}; }
};

/// The same for all blocks.
template <olmo2_config Config>
block_settings settings_of_block(const olmo2<Config>& model, std::size_t, const position_terms& terms) {
  return {.norm = model.norms(),
          .activation = model.settings.activation,
          .attention = {.scale = attention_scale(model.config.head_width),
                        .rotation = terms.rotation,
                        .head_norm = model.norms()}};
}

} // namespace transept::inline TRANSEPT_ABI
