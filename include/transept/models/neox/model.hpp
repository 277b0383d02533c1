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

template <neox_config Config, class Weights = inference_weights>
struct neox : decoder_base<neox_family, Config, Weights> {
  static constexpr model_names names = neox_names;
  static constexpr extent width = Config.n_embd;
  using block = plain_block<attention<Config.attention(), Weights>, Config.n_inner, Weights>;

  embedding<Config.vocab_size, width, matrix_use::table, Weights> tokens;
  block_list<block, Config.n_layer> blocks;
  layer_norm<width, true, true, Weights> norm;
  untied_output<Config.tie_word_embeddings, Config.vocab_size, width, Weights> output;
  rotary_embedding rotary;

  static constexpr auto members = members_of(member{"tokens", &neox::tokens}, member{"blocks", &neox::blocks},
                                             member{"norm", &neox::norm}, member{"output", &neox::output});

  norm_settings norms() const { return {.epsilon = this->settings.layer_norm_eps}; }
};

template <neox_config Config>
block_settings settings_of_block(const neox<Config>& model, std::size_t, const position_terms& terms) {
  return {.norm = model.norms(),
          .activation = model.settings.activation,
          .attention = {.scale = attention_scale(model.config.head_width), .rotation = terms.rotation},
          .order = model.settings.use_parallel_residual ? block_order::parallel : block_order::pre_norm};
}

} // namespace transept::inline TRANSEPT_ABI
