// MPT (MosaicML 2023, "Introducing MPT-7B") as a type: GPT-2's blocks without a single bias; positions are
// known by distance alone: attention with linear biases.
//
//   x = tokens[token];  for each block: x = block(x);  logits = norm(x) · tokensᵀ
#pragma once

#include <cstddef>
#include <vector>

#include <transept/layers/positions/terms_of_alibi.hpp>
#include <transept/models/decoder.hpp>
#include <transept/models/mpt/config.hpp>
#include <transept/models/mpt/names.hpp>

namespace transept::inline TRANSEPT_ABI {

/// An MPT: `mpt<mpt_7b>`, or `mpt<any_mpt>`, which runs every shape.
template <mpt_config Config, class Weights = inference_weights>
struct mpt : decoder_base<mpt_family, Config, Weights> {
  static constexpr model_names names = mpt_names; ///< what files call the parameters
  static constexpr extent width = Config.n_embd;  ///< of the residual stream
  /// Pre-norm.
  using block =
      transept::block<layer_norm<width, true, false, Weights>, attention<Config.attention(), Weights>,
                      feed_forward<width, Config.n_inner, false, Weights>, rms_norm<0, Weights>>;

  embedding<Config.vocab_size, width, matrix_use::table, Weights> tokens; ///< [vocab_size, n_embd]
  block_list<block, Config.n_layer> blocks;                               ///< first to last
  layer_norm<width, true, false, Weights> norm;                           ///< of the last hidden state
  /// [vocab_size, n_embd]; without rows where it is tied: the output reads `tokens`.
  untied_output<Config.tie_word_embeddings, Config.vocab_size, width, Weights> output;
  std::vector<float> alibi; ///< every head's slope

  /// The parts with parameters, in the order of the walk.
  static constexpr auto members = members_of(member{"tokens", &mpt::tokens}, member{"blocks", &mpt::blocks},
                                             member{"norm", &mpt::norm}, member{"output", &mpt::output});

  /// Fills `alibi`.
  void prepare() {
    alibi.resize(static_cast<std::size_t>(this->config.n_head));
    fill_alibi_slopes(alibi, static_cast<double>(this->settings.alibi_bias_max));
  }

  /// Epsilon of all norms.
  norm_settings norms() const { return {.epsilon = this->settings.layer_norm_epsilon}; }
};

/// The same for all blocks: scores biased by distance.
template <mpt_config Config>
block_settings settings_of_block(const mpt<Config>& model, std::size_t, const position_terms& terms) {
  const mpt_settings& s = model.settings;
  return {
      .norm = model.norms(),
      .activation = s.activation,
      .attention = {.scale = s.softmax_scale > 0 ? s.softmax_scale : attention_scale(model.config.head_width),
                    .bias = terms.bias,
                    .clip = s.clip_qkv}};
}

} // namespace transept::inline TRANSEPT_ABI
