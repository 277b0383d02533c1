// The shapes of GPT-Neo (Black et al. 2021).
//
//   constexpr transept::gpt_neo_config mine{.n_embd = 512, .n_layer = 6, .n_head = 8};
#pragma once

#include <transept/models/family.hpp>

namespace transept::inline TRANSEPT_ABI {

/// The shape of a GPT-Neo.
struct gpt_neo_config {
  int n_embd, n_layer, n_head; ///< width of the residual stream, blocks, each one's heads
  int vocab_size = 50257;      ///< tokens
  int n_positions = 2048;      ///< the longest context: rows of the table of positions
  int n_inner = static_cast<int>(product_of(4, n_embd));         ///< intermediate_size
  int head_width = static_cast<int>(even_share(n_embd, n_head)); ///< head_dim
  choice tie_word_embeddings = true; ///< the output projection is the token embedding

  friend constexpr bool operator==(const gpt_neo_config&, const gpt_neo_config&) = default;

  /// Of every block's attention: queries, keys and values have no biases.
  constexpr attention_extents attention() const {
    return {.width = n_embd, .heads = n_head, .head_width = head_width, .input_bias = false};
  }
};

/// GPT-Neo 125M: 125,198,592 parameters.
inline constexpr gpt_neo_config gpt_neo_125m{.n_embd = 768, .n_layer = 12, .n_head = 12};
/// GPT-Neo 1.3B: 1,315,575,808 parameters.
inline constexpr gpt_neo_config gpt_neo_1_3b{.n_embd = 2048, .n_layer = 24, .n_head = 16};

/// Any shape, told at run time.
inline constexpr gpt_neo_config any_gpt_neo = any_of(gpt_neo_125m);

/// What a GPT-Neo is at run time besides its shape.
struct gpt_neo_settings {
  float layer_norm_epsilon = 1e-5f;                        ///< of all norms
  activation_type activation = activation_type::gelu_tanh; ///< activation_function
  layer_windows windows = {};                              ///< local layers see window_size positions
  std::optional<token_id> bos_token_id = 50256;            ///< begins a text, where there is one
  std::vector<token_id> eos_token_ids = {50256};           ///< a generation stops at any of these

  bool operator==(const gpt_neo_settings&) const = default; ///< member by member
};

template <gpt_neo_config Config, class Weights>
struct gpt_neo;

/// What files say of a GPT-Neo.
struct gpt_neo_family : family_of<gpt_neo_config, gpt_neo_settings, gpt_neo> {
  /// Of the family, and of its shape in C++.
  static constexpr std::string_view name = "GPT-Neo", config_name = "gpt_neo_config";
  static constexpr std::array<std::string_view, 1> model_types{"gpt_neo"}; ///< in config.json

  static gpt_neo_config huggingface_defaults() { return gpt_neo_1_3b; } ///< GPTNeoConfig's

  /// Every second block of a new model, from the second on, sees 256 positions.
  static void begin(const gpt_neo_config& c, gpt_neo_settings& s) { s.windows = in_turn(c.n_layer, 256); }

  /// config.json, field by field: read, or written.
  template <class Fields>
  static void describe(Fields& f, gpt_neo_config& c, gpt_neo_settings& s) {
    f.architecture("GPTNeoForCausalLM");
    f.activation("activation_function", s.activation);
    f.count({"vocab_size"}, c.vocab_size, config_limits::vocab_size);
    f.count({"max_position_embeddings"}, c.n_positions, config_limits::n_positions);
    f.count({"hidden_size"}, c.n_embd, config_limits::width);
    f.count({"num_layers", "num_hidden_layers"}, c.n_layer, config_limits::n_layer);
    f.count({"num_heads", "num_attention_heads"}, c.n_head, config_limits::width);
    f.head_width("hidden_size", c.n_embd, "num_heads", c.n_head, c.head_width);
    f.count_or_null("intermediate_size", c.n_inner, 4 * c.n_embd, config_limits::n_inner);
    f.epsilon("layer_norm_epsilon", s.layer_norm_epsilon);
    if constexpr (Fields::reading) s.windows = in_turn(c.n_layer, 256);
    f.local_layers(s.windows, c.n_layer);
    describe_vocabulary(f, c, s, 50256, {50256});
  }
};

} // namespace transept::inline TRANSEPT_ABI
