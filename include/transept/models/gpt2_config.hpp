// The shape of a GPT-2: the structural template parameter of `gpt2<config>`.
//
//   constexpr transept::gpt2_config mine{.n_embd = 256, .n_layer = 4, .n_head = 4, .vocab_size = 1024,
//                                        .n_positions = 256};
//
// Only what changes the type is here; epsilon, activation and the like are run-time members of the model
// (gpt2_settings). Names are those of Hugging Face's config.json.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include <transept/core/activation.hpp>
#include <transept/core/types.hpp>

namespace transept::inline TRANSEPT_ABI {

struct gpt2_config {
  int n_embd;               ///< width of the residual stream
  int n_layer;              ///< number of blocks
  int n_head;               ///< attention heads per block
  int vocab_size = 50257;   ///< tokens, or dyn: told at run time
  int n_positions = 1024;   ///< longest context, or dyn: told at run time
  int n_inner = 4 * n_embd; ///< width of the feed-forward network
  int head_width = static_cast<int>(even_share(n_embd, n_head)); ///< config.json's head_dim
  bool tie_word_embeddings = true; ///< the output projection is the token embedding

  friend constexpr bool operator==(const gpt2_config&, const gpt2_config&) = default;

  /// The same shape for any vocabulary and context: what a list of models for visit_model should hold.
  constexpr gpt2_config any_vocabulary() const {
    gpt2_config config = *this;
    config.vocab_size = config.n_positions = static_cast<int>(dyn);
    return config;
  }
};

// The published models (Radford et al. 2019, table 2), and Hugging Face's distilled one.
inline constexpr gpt2_config gpt2_small{.n_embd = 768, .n_layer = 12, .n_head = 12};   // 124,439,808
inline constexpr gpt2_config gpt2_medium{.n_embd = 1024, .n_layer = 24, .n_head = 16}; // 354,823,168
inline constexpr gpt2_config gpt2_large{.n_embd = 1280, .n_layer = 36, .n_head = 20};  // 774,030,080
inline constexpr gpt2_config gpt2_xl{.n_embd = 1600, .n_layer = 48, .n_head = 25};     // 1,557,611,200
inline constexpr gpt2_config distilgpt2{.n_embd = 768, .n_layer = 6, .n_head = 12};    // 81,912,576

/// What a GPT-2 is at run time besides its shape: the other members of config.json.
struct gpt2_settings {
  float layer_norm_epsilon = 1e-5f;
  activation_type activation = activation_type::gelu_tanh;
  bool scale_attn_weights = true;               ///< divide scores by √head_width
  bool scale_attn_by_inverse_layer_idx = false; ///< and by the layer's index + 1
  std::optional<token_id> bos_token_id = 50256;
  std::vector<token_id> eos_token_ids = {50256}; ///< a generation stops at any of these
};

} // namespace transept::inline TRANSEPT_ABI
