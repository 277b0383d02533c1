// GPT-2 (Radford et al. 2019, "Language Models are Unsupervised Multitask Learners") as a type:
//
//   x = wte[token] + wpe[position];  for each block: x = block(x);  logits = ln_f(x) · wteᵀ
//
// A model is a value: named views of weights, and a handle on the memory they lie in. Copying it shares the
// weights, which nothing changes, so one model serves any number of sessions and threads.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <tuple>
#include <type_traits>

#include <transept/layers/block.hpp>
#include <transept/layers/embedding.hpp>
#include <transept/models/decoder.hpp>
#include <transept/models/gpt2_config.hpp>

namespace transept::inline TRANSEPT_ABI {

template <gpt2_config Config, class Weights = inference_weights>
struct gpt2 {
  static_assert(Config.n_embd > 0, "gpt2_config: n_embd must be positive");
  static_assert(Config.n_layer > 0, "gpt2_config: n_layer must be positive");
  static_assert(Config.n_head > 0, "gpt2_config: n_head must be positive");
  static_assert(Config.head_width > 0,
                "gpt2_config: n_embd must be divisible by n_head unless head_width is given");
  static_assert(Config.n_inner > 0, "gpt2_config: n_inner must be positive");
  static_assert(Config.vocab_size > 0 || Config.vocab_size == dyn,
                "gpt2_config: vocab_size must be positive, or transept::dyn");
  static_assert(Config.n_positions > 0 || Config.n_positions == dyn,
                "gpt2_config: n_positions must be positive, or transept::dyn");

  static constexpr gpt2_config config = Config;
  static constexpr extent width = Config.n_embd;
  /// The same model of other storage: gpt2<…>::stored_as<gradient_weights> is its gradient.
  template <class Other>
  using stored_as = gpt2<Config, Other>;
  using block = pre_norm_block<Config.n_embd, Config.n_head, Config.head_width, Config.n_inner, Weights>;
  using token_embedding = embedding<Config.vocab_size, Config.n_embd, matrix_use::table, Weights>;
  using position_embedding = embedding<Config.n_positions, Config.n_embd, matrix_use::lookup, Weights>;
  using output_embedding = std::conditional_t<Config.tie_word_embeddings, absent, token_embedding>;

  token_embedding wte;
  position_embedding wpe;
  std::array<block, static_cast<std::size_t>(Config.n_layer)> h;
  layer_norm<Config.n_embd, Weights> ln_f;
  [[no_unique_address]] output_embedding lm_head; ///< absent where tied: the output reads wte

  gpt2_settings settings;
  weight_owner memory;

  static constexpr auto members =
      std::tuple(member{"wte", &gpt2::wte}, member{"wpe", &gpt2::wpe}, member{"h", &gpt2::h},
                 member{"ln_f", &gpt2::ln_f}, member{"lm_head", &gpt2::lm_head});

  /// Scalars in all parameters, a tied output counted once; without those of `dyn` tables.
  static constexpr std::size_t parameter_count =
      token_embedding::parameter_count + position_embedding::parameter_count +
      block::parameter_count * static_cast<std::size_t>(Config.n_layer) + decltype(ln_f)::parameter_count +
      (Config.tie_word_embeddings ? 0 : token_embedding::parameter_count);

  /// A model whose views have their extents, but no data yet: what loading and initialising begin with.
  static gpt2 shaped(extent vocab_size = Config.vocab_size, extent n_positions = Config.n_positions) {
    gpt2 model;
    model.wte.weight = {nullptr, element_type::f32, vocab_size, width};
    model.wpe.weight = {nullptr, element_type::f32, n_positions, width};
    if constexpr (!Config.tie_word_embeddings) model.lm_head.weight = model.wte.weight;
    return model;
  }

  int vocab_size() const { return static_cast<int>(wte.weight.rows()); }
  int n_positions() const { return static_cast<int>(wpe.weight.rows()); }

  /// The matrix [vocab_size, n_embd] that logits are computed with.
  const auto& output_weight() const {
    if constexpr (Config.tie_word_embeddings) {
      return wte.weight;
    } else {
      return lm_head.weight;
    }
  }

  /// What a session must hold for this model.
  decoder_shape shape() const {
    return {.n_layer = static_cast<std::size_t>(Config.n_layer),
            .n_head = static_cast<std::size_t>(Config.n_head),
            .head_width = static_cast<std::size_t>(Config.head_width),
            .n_embd = static_cast<std::size_t>(Config.n_embd),
            .n_inner = static_cast<std::size_t>(Config.n_inner),
            .vocab_size = static_cast<std::size_t>(vocab_size()),
            .n_positions = static_cast<std::size_t>(n_positions())};
  }
};

/// The scale of layer `layer`'s attention scores, as config.json asks.
inline float attention_scale(const gpt2_settings& settings, int head_width, std::size_t layer) {
  float scale = settings.scale_attn_weights ? 1.0f / std::sqrt(static_cast<float>(head_width)) : 1.0f;
  if (settings.scale_attn_by_inverse_layer_idx) scale /= static_cast<float>(layer + 1);
  return scale;
}

template <gpt2_config Config>
block_settings settings_of_block(const gpt2<Config>& model, std::size_t layer) {
  return {.layer_norm_epsilon = model.settings.layer_norm_epsilon,
          .activation = model.settings.activation,
          .attention_scale = attention_scale(model.settings, Config.head_width, layer)};
}

/// How many parameters come before block `block` in the walk: the embeddings', and those of the blocks
/// before.
template <gpt2_config Config>
std::size_t parameters_before_block(const gpt2<Config>& model, std::size_t block) {
  return leaf_count(model.wte) + leaf_count(model.wpe) + block * leaf_count(model.h.front());
}

/// x [tokens, n_embd] = the residual stream after the last block (before ln_f), for tokens that follow the
/// positions in `cache` (one after another in a kv_cache, one in each sequence of a kv_cache_batch), to which
/// they are appended. Tokens must be ids of the vocabulary and fit the cache and the model's positions;
/// `forward(model, session, tokens)` checks that.
template <gpt2_config Config, key_value_cache Cache, class Observer = no_observer>
void forward(const gpt2<Config>& model, compute_context& context, std::span<const token_id> tokens,
             Cache& cache, activations<Config.n_embd> x, Observer&& observer = {}) {
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    float* row = x.row(static_cast<extent>(i)).data();
    copy_row(model.wte, tokens[i], row);
    add_row(model.wpe, static_cast<extent>(position(cache, i)), row);
  }
  const auto show = [&]([[maybe_unused]] std::size_t index) {
    if constexpr (observing<Observer>)
      observer.hidden_state(index, x.data(), tokens.size(), static_cast<std::size_t>(Config.n_embd));
  };
  const auto forward_block = [&](auto& rows, std::size_t layer, auto&& watching) {
    forward(model.h[layer], context, x, rows, layer, settings_of_block(model, layer), watching);
  };
  std::size_t layer = 0;
  if constexpr (taping<Observer>) {
    if (observer.frozen_blocks == 0 && observer.dropout.embedding > 0)
      kernels::drop(context, detail::mask_here(observer, observer.dropout.embedding), x.data(), tokens.size(),
                    Config.n_embd, x.data());
    whole_sequences unkept(cache.length());
    for (; layer < observer.frozen_blocks; ++layer) forward_block(unkept, layer, no_observer{});
    for (; observer.recompute_blocks && layer < model.h.size(); ++layer) {
      observer.keep_input(x);
      forward_block(cache, layer, observer);
      observer.forget();
    }
  }
  show(0);
  for (; layer < model.h.size(); ++layer) {
    forward_block(cache, layer, observer);
    if (layer + 1 < model.h.size()) show(layer + 1); // the last one is shown after ln_f
  }
  advance(cache, tokens.size());
}

/// dx [tokens, n_embd] is the gradient of what the forward pass gave; every gradient but that of ln_f and of
/// an output of its own grows by its part, where the tape froze no blocks, else those of the other blocks.
/// The tape is as it was before the forward pass; dx is scratch.
template <gpt2_config Config>
void backward(const gpt2<Config>& model, const gpt2<Config, gradient_weights>& gradient,
              compute_context& context, std::span<const token_id> tokens, const whole_sequences& sequences,
              activations<Config.n_embd> dx, tape& tape) {
  for (std::size_t layer = model.h.size(); layer-- > tape.frozen_blocks;) {
    const block_settings settings = settings_of_block(model, layer);
    if (tape.recompute_blocks) {
      whole_sequences again(sequences.length(), &tape);
      forward(model.h[layer], context, tape.take_input<Config.n_embd>(dx.rows()), again, layer, settings,
              tape);
    }
    backward(model.h[layer], gradient.h[layer], context, dx, sequences, settings, tape);
  }
  if (tape.frozen_blocks > 0) return;
  if (tape.dropout.embedding > 0)
    kernels::drop(context, detail::mask_here(tape, tape.dropout.embedding), dx.data(), tokens.size(),
                  Config.n_embd, dx.data());
  backward(gradient.wte, context, dx, [&](std::size_t row) { return static_cast<std::size_t>(tokens[row]); });
  backward(gradient.wpe, context, dx, [&](std::size_t row) { return position(sequences, row); });
}

/// normed [rows, n_embd] = ln_f(x), the last hidden state as Hugging Face counts them; normed may be x.
template <gpt2_config Config>
void final_norm(const gpt2<Config>& model, compute_context& context, activations<Config.n_embd> x,
                activations<Config.n_embd> normed) {
  forward(model.ln_f, context, x, normed, model.settings.layer_norm_epsilon);
}

/// dx [rows, n_embd] += the gradient that dnormed gives x.
template <gpt2_config Config>
void backward_final_norm(const gpt2<Config>& model, const gpt2<Config, gradient_weights>& gradient,
                         compute_context& context, activations<Config.n_embd> x,
                         activations<Config.n_embd> dnormed, activations<Config.n_embd> dx) {
  backward(model.ln_f, gradient.ln_f, context, x, dnormed, dx, model.settings.layer_norm_epsilon);
}

/// logits [rows, vocab_size] of normed [rows, n_embd].
template <gpt2_config Config>
void project(const gpt2<Config>& model, compute_context& context, activations<Config.n_embd> normed,
             float* logits) {
  project_to_vocabulary(model.output_weight(), context, normed, logits);
}

} // namespace transept::inline TRANSEPT_ABI
