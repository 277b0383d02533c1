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
struct neox {
  using family = neox_family;
  static constexpr neox_config static_config = Config;
  static constexpr model_names names = neox_names;
  static constexpr extent width = Config.n_embd;
  template <class Other>
  using stored_as = neox<Config, Other>;
  using block =
      transept::block<layer_norm<width, true, true, Weights>, attention<Config.attention(), Weights>,
                      feed_forward<width, Config.n_inner, true, Weights>, rms_norm<0, Weights>>;

  embedding<Config.vocab_size, width, matrix_use::table, Weights> tokens;
  block_list<block, Config.n_layer> blocks;
  layer_norm<width, true, true, Weights> norm;
  untied_output<Config.tie_word_embeddings, Config.vocab_size, width, Weights> output;

  neox_config config = Config;
  neox_settings settings;
  rotary_embedding rotary;
  weight_owner memory;

  static constexpr auto members = members_of(member{"tokens", &neox::tokens}, member{"blocks", &neox::blocks},
                                             member{"norm", &neox::norm}, member{"output", &neox::output});

  static neox shaped(const neox_config& c = Config) {
    return assembled<neox>(c, block::shaped(c.n_embd, c.attention(), c.n_inner));
  }

  /// What follows from the settings. Throws config_error where they contradict themselves.
  void prepare() { rotary = rotary_embedding(settings.rotary); }

  norm_settings norms() const { return {.epsilon = settings.layer_norm_eps}; }

  decoder_shape shape() const {
    decoder_shape shape = shape_of(config);
    shape.is_bounded = false;
    shape.scratch_per_row = rotary.width() + (settings.use_parallel_residual ? shape.n_embd : 0);
    return shape;
  }
};

template <neox_config Config>
block_settings settings_of_block(const neox<Config>& model, std::size_t, const position_terms& terms) {
  return {.norm = model.norms(),
          .activation = model.settings.activation,
          .attention = {.scale = attention_scale(model.config.head_width), .rotation = terms.rotation},
          .order = model.settings.use_parallel_residual ? block_order::parallel : block_order::pre_norm};
}

} // namespace transept::inline TRANSEPT_ABI
