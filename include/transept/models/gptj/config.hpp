// The shapes of GPT-J (Wang & Komatsuzaki 2021).
//
//   constexpr transept::gptj_config mine{.n_embd = 512, .n_layer = 6, .n_head = 8};
#pragma once

#include <algorithm>

#include <transept/layers/positions/rotary_frequencies.hpp>
#include <transept/models/family.hpp>

namespace transept::inline TRANSEPT_ABI {

/// The shape of a GPT-J.
struct gptj_config {
  int n_embd, n_layer, n_head; ///< width of the residual stream, blocks, each one's heads
  int vocab_size = 50400;      ///< tokens
  int n_positions = 2048;      ///< what it was trained for
  int n_inner = static_cast<int>(product_of(4, n_embd));         ///< width of the network
  int head_width = static_cast<int>(even_share(n_embd, n_head)); ///< head_dim
  choice tie_word_embeddings = false; ///< the output projection is the token embedding

  friend constexpr bool operator==(const gptj_config&, const gptj_config&) = default;

  /// Of every block's attention: no biases.
  constexpr attention_extents attention() const {
    return {.width = n_embd,
            .heads = n_head,
            .head_width = head_width,
            .input_bias = false,
            .output_bias = false};
  }
};

/// GPT-J-6B: 6,050,882,784 parameters.
inline constexpr gptj_config gptj_6b{.n_embd = 4096, .n_layer = 28, .n_head = 16};

/// Any shape, told at run time.
inline constexpr gptj_config any_gptj = any_of(gptj_6b);

/// What a GPT-J is at run time besides its shape.
struct gptj_settings {
  float layer_norm_epsilon = 1e-5f;                                  ///< of all norms
  activation_type activation = activation_type::gelu_tanh;           ///< activation_function
  rotary_settings rotary = {.pairing = rotary_pairing::interleaved}; ///< its width is rotary_dim
  std::optional<token_id> bos_token_id = 50256;                      ///< begins a text, where there is one
  std::vector<token_id> eos_token_ids = {50256};                     ///< a generation stops at any of these

  bool operator==(const gptj_settings&) const = default; ///< member by member
};

template <gptj_config Config, class Weights>
struct gptj;

/// What files say of a GPT-J.
struct gptj_family : family_of<gptj_config, gptj_settings, gptj> {
  /// Of the family, and of its shape in C++.
  static constexpr std::string_view name = "GPT-J", config_name = "gptj_config";
  static constexpr std::array<std::string_view, 1> model_types{"gptj"}; ///< in config.json

  static gptj_config huggingface_defaults() { return gptj_6b; } ///< GPTJConfig's

  /// A new model turns a quarter of every head, in whole pairs.
  static void begin(const gptj_config& c, gptj_settings& s) {
    s.rotary.width = static_cast<std::size_t>(std::max(2, c.head_width / 8 * 2));
  }

  /// config.json, field by field: read, or written.
  template <class Fields>
  static void describe(Fields& f, gptj_config& c, gptj_settings& s) {
    f.architecture("GPTJForCausalLM");
    f.activation("activation_function", s.activation);
    f.count({"vocab_size"}, c.vocab_size, config_limits::vocab_size);
    f.count({"n_positions", "max_position_embeddings"}, c.n_positions, config_limits::n_positions);
    f.count({"n_embd", "hidden_size"}, c.n_embd, config_limits::width);
    f.count({"n_layer", "num_hidden_layers"}, c.n_layer, config_limits::n_layer);
    f.count({"n_head", "num_attention_heads"}, c.n_head, config_limits::width);
    f.head_width("n_embd", c.n_embd, "n_head", c.n_head, c.head_width);
    f.count_or_null("n_inner", c.n_inner, 4 * c.n_embd, config_limits::n_inner);
    f.epsilon("layer_norm_epsilon", s.layer_norm_epsilon);
    f.rotary_width("rotary_dim", s.rotary, 64, c.head_width);
    describe_vocabulary(f, c, s, 50256, {50256});
  }
};

} // namespace transept::inline TRANSEPT_ABI
