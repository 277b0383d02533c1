// GPT-2 (Radford et al. 2019, "Language Models are Unsupervised Multitask Learners") as a type:
//
//   x = tokens[token] + positions[position];  for each block: x = block(x);  logits = norm(x) · tokensᵀ
//
// and, with bands (gpt2_settings::windows), GPT-3 (Brown et al. 2020).
//
// A model is a value: named views of weights, and a handle on the memory they lie in. Copying it shares the
// weights, which nothing changes, so one model serves any number of sessions and threads.
#pragma once

#include <cmath>
#include <cstddef>

#include <transept/models/decoder.hpp>
#include <transept/models/gpt2/config.hpp>
#include <transept/models/gpt2/names.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A GPT-2 or GPT-3: `gpt2<gpt2_small>`, or `gpt2<any_gpt2>`, which runs every shape.
template <gpt2_config Config, class Weights = inference_weights>
struct gpt2 : decoder_base<gpt2_family, Config, Weights> {
  static constexpr model_names names = gpt2_names; ///< what files call the parameters
  static constexpr extent width = Config.n_embd;   ///< of the residual stream
  using block = plain_block<attention<Config.attention(), Weights>, Config.n_inner, Weights>; ///< pre-norm

  embedding<Config.vocab_size, width, matrix_use::table, Weights> tokens;      ///< wte [vocab_size, n_embd]
  embedding<Config.n_positions, width, matrix_use::lookup, Weights> positions; ///< wpe [n_positions, n_embd]
  block_list<block, Config.n_layer> blocks;                                    ///< h, first to last
  layer_norm<width, true, true, Weights> norm;                                 ///< ln_f
  /// lm_head [vocab_size, n_embd]; without rows where it is tied: the output reads `tokens`.
  untied_output<Config.tie_word_embeddings, Config.vocab_size, width, Weights> output;

  /// The parts with parameters, in the order of the walk.
  static constexpr auto members = members_of(
      member{"tokens", &gpt2::tokens}, member{"positions", &gpt2::positions}, member{"blocks", &gpt2::blocks},
      member{"norm", &gpt2::norm}, member{"output", &gpt2::output});

  /// Scalars in all parameters, a tied output counted once; without those of `dyn` extents.
  static constexpr std::size_t parameter_count =
      decltype(tokens)::parameter_count + decltype(positions)::parameter_count +
      block::parameter_count * static_count(Config.n_layer) + decltype(norm)::parameter_count +
      decltype(output)::parameter_count;

  /// Epsilon of all norms.
  norm_settings norms() const { return {.epsilon = this->settings.layer_norm_epsilon}; }
};

/// The scale of layer `layer`'s attention scores, as config.json asks.
inline float attention_scale(const gpt2_settings& settings, int head_width, std::size_t layer) {
  float scale = settings.scale_attn_weights ? attention_scale(head_width) : 1.0f;
  if (settings.scale_attn_by_inverse_layer_idx) scale /= static_cast<float>(layer + 1);
  return scale;
}

/// Scores scaled and positions seen as the settings say of block `layer`.
template <gpt2_config Config>
block_settings settings_of_block(const gpt2<Config>& model, std::size_t layer, const position_terms&) {
  return {.norm = model.norms(),
          .activation = model.settings.activation,
          .attention = {.scale = attention_scale(model.settings, model.config.head_width, layer),
                        .sees = visibility_of(model.settings.windows, layer)}};
}

} // namespace transept::inline TRANSEPT_ABI
