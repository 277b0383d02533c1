// Falcon (Almazrouei et al. 2023, "The Falcon Series of Open Language Models") as a type: attention and
// network beside each other, few heads of keys and values, rotary positions; its first generation (RW) has
// them one after another, and linear biases.
//
//   x = tokens[token];  for each block: x = block(x);  logits = norm(x) · tokensᵀ
#pragma once

#include <cstddef>
#include <vector>

#include <transept/layers/positions/terms_of_alibi.hpp>
#include <transept/layers/positions/terms_of_rotary.hpp>
#include <transept/models/decoder.hpp>
#include <transept/models/falcon/config.hpp>
#include <transept/models/falcon/names.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A Falcon: `falcon<falcon_7b>`, or `falcon<any_falcon>`, which runs every shape.
template <falcon_config Config, class Weights = inference_weights>
struct falcon : decoder_base<falcon_family, Config, Weights> {
  static constexpr model_names names = falcon_names; ///< what files call the parameters of most
  static constexpr extent width = Config.n_embd;     ///< of the residual stream
  /// Parallel with two norms or one, or pre-norm.
  using block =
      transept::block<layer_norm<width, true, true, Weights>, attention<Config.attention(), Weights>,
                      feed_forward<width, Config.n_inner, Config.mlp_bias, Weights>, rms_norm<0, Weights>,
                      optional_layer_norm<Config.second_norm, width, Weights>>;

  embedding<Config.vocab_size, width, matrix_use::table, Weights> tokens; ///< [vocab_size, n_embd]
  block_list<block, Config.n_layer> blocks;                               ///< first to last
  layer_norm<width, true, true, Weights> norm;                            ///< of the last hidden state
  /// [vocab_size, n_embd]; without rows where it is tied: the output reads `tokens`.
  untied_output<Config.tie_word_embeddings, Config.vocab_size, width, Weights> output;
  rotary_embedding rotary;  ///< of settings.rotary
  std::vector<float> alibi; ///< every head's slope, where settings.alibi

  /// The parts with parameters, in the order of the walk.
  static constexpr auto members =
      members_of(member{"tokens", &falcon::tokens}, member{"blocks", &falcon::blocks},
                 member{"norm", &falcon::norm}, member{"output", &falcon::output});

  /// Fills `alibi`: the biases are scaled as the scores are.
  void prepare() {
    if (!this->settings.alibi) return;
    alibi.resize(static_cast<std::size_t>(this->config.n_head));
    fill_alibi_slopes(alibi);
    for (float& slope : alibi) slope *= attention_scale(this->config.head_width);
  }

  /// What files call the parameters of this one.
  model_names file_names() const {
    return this->config.second_norm && this->settings.parallel_attn ? falcon_two_norm_names : falcon_names;
  }
  /// Epsilon of all norms.
  norm_settings norms() const { return {.epsilon = this->settings.layer_norm_epsilon}; }
};

/// The same for all blocks: heads turned, or scores biased by distance.
template <falcon_config Config>
block_settings settings_of_block(const falcon<Config>& model, std::size_t, const position_terms& terms) {
  const falcon_settings& s = model.settings;
  return {.norm = model.norms(),
          .activation = s.activation,
          .attention = {.scale = attention_scale(model.config.head_width),
                        .rotation = s.alibi ? rotation{} : terms.rotation,
                        .bias = s.alibi ? terms.bias : kernels::distance_bias{}},
          .order = !s.parallel_attn           ? block_order::pre_norm
                   : model.config.second_norm ? block_order::parallel
                                              : block_order::parallel_one_norm};
}

} // namespace transept::inline TRANSEPT_ABI
