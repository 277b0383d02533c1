// StableLM (Bellagente et al. 2024, "Stable LM 2 1.6B Technical Report") as a type: LLaMA's blocks with layer
// norms, part of every head rotated; or parallel with one norm, queries and keys normed (12B).
//
//   x = tokens[token];  for each block: x = block(x);  logits = norm(x) · outputᵀ
#pragma once

#include <cstddef>

#include <transept/layers/gated_feed_forward.hpp>
#include <transept/layers/positions/terms_of_rotary.hpp>
#include <transept/models/decoder.hpp>
#include <transept/models/stablelm/config.hpp>
#include <transept/models/stablelm/names.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A StableLM: `stablelm<stablelm_3b>`, or `stablelm<any_stablelm>`, which runs every shape.
template <stablelm_config Config, class Weights = inference_weights>
struct stablelm : decoder_base<stablelm_family, Config, Weights> {
  static constexpr model_names names = stablelm_names; ///< what files call the parameters
  static constexpr extent width = Config.n_embd;       ///< of the residual stream
  /// Pre-norm, or parallel with one norm.
  using block =
      transept::block<layer_norm<width, true, true, Weights>, attention<Config.attention(), Weights>,
                      gated_feed_forward<width, Config.n_inner, false, Weights>, rms_norm<0, Weights>,
                      optional_layer_norm<Config.second_norm, width, Weights>>;

  embedding<Config.vocab_size, width, matrix_use::table, Weights> tokens; ///< [vocab_size, n_embd]
  block_list<block, Config.n_layer> blocks;                               ///< first to last
  layer_norm<width, true, true, Weights> norm;                            ///< of the last hidden state
  /// [vocab_size, n_embd]; without rows where it is tied: the output reads `tokens`.
  untied_output<Config.tie_word_embeddings, Config.vocab_size, width, Weights> output;
  rotary_embedding rotary; ///< of settings.rotary

  /// The parts with parameters, in the order of the walk.
  static constexpr auto members =
      members_of(member{"tokens", &stablelm::tokens}, member{"blocks", &stablelm::blocks},
                 member{"norm", &stablelm::norm}, member{"output", &stablelm::output});

  /// Epsilon of all norms, those of queries and keys too.
  norm_settings norms() const { return {.epsilon = this->settings.layer_norm_eps}; }
};

/// The same for all blocks.
template <stablelm_config Config>
block_settings settings_of_block(const stablelm<Config>& model, std::size_t, const position_terms& terms) {
  return {.norm = model.norms(),
          .activation = model.settings.activation,
          .attention = {.scale = attention_scale(model.config.head_width),
                        .rotation = terms.rotation,
                        .head_norm = model.norms()},
          .order = model.config.second_norm ? block_order::pre_norm : block_order::parallel_one_norm};
}

} // namespace transept::inline TRANSEPT_ABI
