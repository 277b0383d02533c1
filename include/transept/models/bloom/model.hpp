// BLOOM (BigScience 2022, "BLOOM: A 176B-Parameter Open-Access Multilingual Language Model") as a type:
// GPT-2's blocks behind normed embeddings. Positions are known by distance alone: attention with linear
// biases.
//
//   x = norm₀(tokens[token]);  for each block: x = block(x);  logits = norm(x) · tokensᵀ
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <transept/layers/positions/terms_of_alibi.hpp>
#include <transept/models/bloom/config.hpp>
#include <transept/models/bloom/names.hpp>
#include <transept/models/decoder.hpp>

namespace transept::inline TRANSEPT_ABI {

template <bloom_config Config, class Weights = inference_weights>
struct bloom {
  using family = bloom_family;
  static constexpr bloom_config static_config = Config;
  static constexpr model_names names = bloom_names;
  static constexpr extent width = Config.n_embd;
  template <class Other>
  using stored_as = bloom<Config, Other>;
  using block =
      transept::block<layer_norm<width, true, true, Weights>, attention<Config.attention(), Weights>,
                      feed_forward<width, Config.n_inner, true, Weights>, rms_norm<0, Weights>>;

  embedding<Config.vocab_size, width, matrix_use::table, Weights> tokens;
  layer_norm<width, true, true, Weights> tokens_norm;
  block_list<block, Config.n_layer> blocks;
  layer_norm<width, true, true, Weights> norm;
  untied_output<Config.tie_word_embeddings, Config.vocab_size, width, Weights> output;

  bloom_config config = Config;
  bloom_settings settings;
  std::vector<float> alibi; ///< every head's slope
  weight_owner memory;

  static constexpr auto members = members_of(
      member{"tokens", &bloom::tokens}, member{"tokens_norm", &bloom::tokens_norm},
      member{"blocks", &bloom::blocks}, member{"norm", &bloom::norm}, member{"output", &bloom::output});

  static bloom shaped(const bloom_config& c = Config) {
    auto model = assembled<bloom>(c, block::shaped(c.n_embd, c.attention(), c.n_inner));
    model.tokens_norm = decltype(tokens_norm)::shaped(c.n_embd);
    return model;
  }

  void prepare() {
    alibi.resize(static_cast<std::size_t>(config.n_head));
    fill_alibi_slopes(alibi);
  }

  norm_settings norms() const { return {.epsilon = settings.layer_norm_epsilon}; }

  decoder_shape shape() const {
    decoder_shape shape = shape_of(config);
    shape.is_bounded = false;
    shape.scratch_per_position = shape.n_head;
    return shape;
  }
};

template <bloom_config Config>
block_settings settings_of_block(const bloom<Config>& model, std::size_t, const position_terms& terms) {
  return {.norm = model.norms(),
          .activation = model.settings.activation,
          .attention = {.scale = attention_scale(model.config.head_width), .bias = terms.bias},
          .residual_after_norm = model.settings.residual_after_norm};
}

/// x [tokens, width] = the norm of the tokens' embeddings.
template <bloom_config Config, key_value_cache Cache, class Observer>
void embed(const bloom<Config>& model, compute_context& context, std::span<const token_id> tokens,
           const Cache& cache, activations<bloom<Config>::width> x, Observer&& observer) {
  embed<bloom<Config>>(model, context, tokens, cache, x, observer);
  if constexpr (taping<Observer>) observer.keep_copy(x);
  forward(model.tokens_norm, context, x, x, model.norms());
}

template <bloom_config Config, class Gradient>
void embed_backward(const bloom<Config>& model, const Gradient& gradient, compute_context& context,
                    std::span<const token_id> tokens, const whole_sequences& sequences,
                    activations<bloom<Config>::width> dx, tape& tape) {
  workspace::scope scope(context.memory);
  const auto drows =
      detail::norm_gradient(scope, model.tokens_norm, gradient.tokens_norm, context, dx, model.norms(), tape);
  embed_backward<bloom<Config>>(model, gradient, context, tokens, sequences, drows, tape);
}

} // namespace transept::inline TRANSEPT_ABI
