// The shapes of StarCoder2 (Lozhkov et al. 2024).
//
//   constexpr transept::starcoder2_config mine{.n_embd = 512, .n_layer = 6, .n_head = 8};
#pragma once

#include <span>

#include <transept/layers/positions/rotary_frequencies.hpp>
#include <transept/models/family.hpp>
#include <transept/models/starcoder2/names.hpp>

namespace transept::inline TRANSEPT_ABI {

/// The shape of a StarCoder2.
struct starcoder2_config {
  int n_embd, n_layer, n_head; ///< width of the residual stream, blocks, each one's heads of queries
  int vocab_size = 49152;      ///< tokens
  int n_positions = 4096;      ///< what it was trained for
  int n_inner = static_cast<int>(product_of(4, n_embd));         ///< intermediate_size
  int head_width = static_cast<int>(even_share(n_embd, n_head)); ///< head_dim
  choice tie_word_embeddings = true; ///< the output projection is the token embedding
  int n_key_value_head = n_head;     ///< num_key_value_heads: a divisor of n_head
  choice attention_bias = true;      ///< use_bias: of all four projections of attention
  choice mlp_bias = true;            ///< use_bias: of the network

  friend constexpr bool operator==(const starcoder2_config&, const starcoder2_config&) = default;

  /// Of every block's attention.
  constexpr attention_extents attention() const {
    return {.width = n_embd,
            .heads = n_head,
            .key_value_heads = n_key_value_head,
            .head_width = head_width,
            .input_bias = attention_bias,
            .output_bias = attention_bias};
  }

  /// Those beside the eight that all configs have.
  static constexpr auto own_members =
      transept::members_of(member{"n_key_value_head", &starcoder2_config::n_key_value_head},
                           member{"attention_bias", &starcoder2_config::attention_bias},
                           member{"mlp_bias", &starcoder2_config::mlp_bias});
};

/// StarCoder2 3B: 3,030,371,328 parameters.
inline constexpr starcoder2_config starcoder2_3b{
    .n_embd = 3072, .n_layer = 30, .n_head = 24, .n_positions = 16384, .n_key_value_head = 2};

/// Any shape, told at run time.
inline constexpr starcoder2_config any_starcoder2 = any_of(starcoder2_3b);

/// What a StarCoder2 is at run time besides its shape.
struct starcoder2_settings {
  float norm_epsilon = 1e-5f;                              ///< of all norms
  activation_type activation = activation_type::gelu_tanh; ///< hidden_act
  rotary_settings rotary = {};                             ///< its width, that of a head, must be set
  layer_windows windows = {};                              ///< sliding_window, of all blocks
  std::optional<token_id> bos_token_id = 0;                ///< begins a text, where there is one
  std::vector<token_id> eos_token_ids = {0};               ///< a generation stops at any of these

  bool operator==(const starcoder2_settings&) const = default; ///< member by member
};

template <starcoder2_config Config, class Weights>
struct starcoder2;

/// What files say of a StarCoder2.
struct starcoder2_family : family_of<starcoder2_config, starcoder2_settings, starcoder2> {
  /// Of the family, and of its shape in C++.
  static constexpr std::string_view name = "StarCoder2", config_name = "starcoder2_config";
  static constexpr std::array<std::string_view, 1> model_types{"starcoder2"}; ///< in config.json
  static constexpr std::span<const gguf_architecture> gguf = starcoder2_gguf; ///< in GGUF files

  /// Starcoder2Config's.
  static starcoder2_config huggingface_defaults() {
    return {.n_embd = 3072, .n_layer = 30, .n_head = 24, .n_key_value_head = 2};
  }

  /// config.json, field by field: read, or written.
  template <class Fields>
  static void describe(Fields& f, starcoder2_config& c, starcoder2_settings& s) {
    f.architecture("Starcoder2ForCausalLM");
    f.activation("hidden_act", s.activation);
    describe_sizes(f, c);
    f.shared_heads("num_key_value_heads", "num_attention_heads", c.n_head, c.n_key_value_head, 2);
    f.epsilon("norm_epsilon", s.norm_epsilon);
    f.choice("use_bias", c.attention_bias);
    c.mlp_bias = c.attention_bias;
    f.rotary(s.rotary, c.head_width, c.n_positions);
    if constexpr (Fields::reading) s.windows = in_all(c.n_layer, 0);
    f.windows(s.windows, c.n_layer, true);
    describe_vocabulary(f, c, s, 50256, {50256});
  }
};

} // namespace transept::inline TRANSEPT_ABI
