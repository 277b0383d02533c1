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

/// A BLOOM: `bloom<bloom_560m>`, or `bloom<any_bloom>`, which runs every shape.
template <bloom_config Config, class Weights = inference_weights>
struct bloom : decoder_base<bloom_family, Config, Weights> {
  static constexpr model_names names = bloom_names; ///< what files call the parameters
  static constexpr extent width = Config.n_embd;    ///< of the residual stream
  using block = plain_block<attention<Config.attention(), Weights>, Config.n_inner, Weights>; ///< pre-norm

  embedding<Config.vocab_size, width, matrix_use::table, Weights> tokens; ///< [vocab_size, n_embd]
  layer_norm<width, true, true, Weights> tokens_norm;                     ///< of the embeddings
  block_list<block, Config.n_layer> blocks;                               ///< first to last
  layer_norm<width, true, true, Weights> norm;                            ///< of the last hidden state
  /// [vocab_size, n_embd]; without rows where it is tied: the output reads `tokens`.
  untied_output<Config.tie_word_embeddings, Config.vocab_size, width, Weights> output;
  std::vector<float> alibi; ///< every head's slope

  /// The parts with parameters, in the order of the walk.
  static constexpr auto members = members_of(
      member{"tokens", &bloom::tokens}, member{"tokens_norm", &bloom::tokens_norm},
      member{"blocks", &bloom::blocks}, member{"norm", &bloom::norm}, member{"output", &bloom::output});

  /// Fills `alibi`.
  void prepare() {
    alibi.resize(static_cast<std::size_t>(this->config.n_head));
    fill_alibi_slopes(alibi);
  }

  /// Epsilon of all norms.
  norm_settings norms() const { return {.epsilon = this->settings.layer_norm_epsilon}; }
};

/// The same for all blocks: scores biased by distance.
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

/// The gradients of tokens and tokens_norm += those that dx [tokens, width] gives them.
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
