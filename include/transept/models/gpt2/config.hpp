// The shape of a GPT-2: the structural template parameter of `gpt2<config>`, and, with every number known,
// what a model of run-time shape is made from.
//
//   constexpr transept::gpt2_config mine{.n_embd = 256, .n_layer = 4, .n_head = 4, .vocab_size = 1024,
//                                        .n_positions = 256};
//
// Only what changes the type is here; epsilon, activation and the like are run-time members of the model
// (gpt2_settings). Names are those of Hugging Face's config.json. Any of them may be `dyn` in a type.
#pragma once

#include <span>

#include <transept/models/family.hpp>
#include <transept/models/gpt2/names.hpp>

namespace transept::inline TRANSEPT_ABI {

/// The shape of a GPT-2 or GPT-3.
struct gpt2_config {
  int n_embd;                                                    ///< width of the residual stream
  int n_layer;                                                   ///< number of blocks
  int n_head;                                                    ///< attention heads per block
  int vocab_size = 50257;                                        ///< tokens
  int n_positions = 1024;                                        ///< longest context
  int n_inner = static_cast<int>(product_of(4, n_embd));         ///< width of the feed-forward network
  int head_width = static_cast<int>(even_share(n_embd, n_head)); ///< config.json's head_dim
  choice tie_word_embeddings = true; ///< the output projection is the token embedding

  friend constexpr bool operator==(const gpt2_config&, const gpt2_config&) = default;

  /// Of every block's attention.
  constexpr attention_extents attention() const {
    return {.width = n_embd, .heads = n_head, .head_width = head_width};
  }

  /// The same shape for any vocabulary and context.
  constexpr gpt2_config any_vocabulary() const {
    gpt2_config config = *this;
    config.vocab_size = config.n_positions = static_cast<int>(dyn);
    return config;
  }
};

// The published models (Radford et al. 2019, table 2), and Hugging Face's distilled one.
/// 124,439,808 parameters.
inline constexpr gpt2_config gpt2_small{.n_embd = 768, .n_layer = 12, .n_head = 12};
/// 354,823,168 parameters.
inline constexpr gpt2_config gpt2_medium{.n_embd = 1024, .n_layer = 24, .n_head = 16};
/// 774,030,080 parameters.
inline constexpr gpt2_config gpt2_large{.n_embd = 1280, .n_layer = 36, .n_head = 20};
/// 1,557,611,200 parameters.
inline constexpr gpt2_config gpt2_xl{.n_embd = 1600, .n_layer = 48, .n_head = 25};
/// Hugging Face's, distilled from the smallest: 81,912,576 parameters.
inline constexpr gpt2_config distilgpt2{.n_embd = 768, .n_layer = 6, .n_head = 12};

/// GPT-3's eight (Brown et al. 2020, table 2.1), whose blocks see in turn everything before them and a band
/// (gpt2_settings::windows, in_turn(n_layer, 128)). Heads times head width is not the width in XL and 13B.
constexpr gpt2_config gpt3(int n_layer, int n_embd, int n_head, int head_width) {
  return {
      .n_embd = n_embd, .n_layer = n_layer, .n_head = n_head, .n_positions = 2048, .head_width = head_width};
}
inline constexpr gpt2_config gpt3_small = gpt3(12, 768, 12, 64), ///< 125,226,240 parameters
    gpt3_medium = gpt3(24, 1024, 16, 64),                        ///< 355,871,744 parameters
    gpt3_large = gpt3(24, 1536, 16, 96),                         ///< 760,300,032 parameters
    gpt3_xl = gpt3(24, 2048, 24, 128),                           ///< 1,517,123,584 parameters
    gpt3_2_7b = gpt3(32, 2560, 32, 80),                          ///< 2,651,553,280 parameters
    gpt3_6_7b = gpt3(32, 4096, 32, 128),                         ///< 6,658,404,352 parameters
    gpt3_13b = gpt3(40, 5140, 40, 128),                          ///< 12,936,488,380 parameters
    gpt3_175b = gpt3(96, 12288, 96, 128);                        ///< 174,604,259,328 parameters

/// Any shape, told at run time.
inline constexpr gpt2_config any_gpt2 = any_of(gpt2_small);

/// What a GPT-2 is at run time besides its shape: the other members of config.json.
struct gpt2_settings {
  float layer_norm_epsilon = 1e-5f;                        ///< of all norms
  activation_type activation = activation_type::gelu_tanh; ///< activation_function
  bool scale_attn_weights = true;                          ///< divide scores by √head_width
  bool scale_attn_by_inverse_layer_idx = false;            ///< and by the layer's index + 1
  layer_windows windows = {};                              ///< GPT-3's bands
  std::optional<token_id> bos_token_id = 50256;            ///< begins a text, where there is one
  std::vector<token_id> eos_token_ids = {50256};           ///< a generation stops at any of these

  bool operator==(const gpt2_settings&) const = default; ///< member by member
};

template <gpt2_config Config, class Weights>
struct gpt2;

/// What files say of a GPT-2 or GPT-3.
struct gpt2_family : family_of<gpt2_config, gpt2_settings, gpt2> {
  /// Of the family, and of its shape in C++.
  static constexpr std::string_view name = "GPT-2", config_name = "gpt2_config";
  static constexpr std::array<std::string_view, 1> model_types{"gpt2"}; ///< in config.json

  static gpt2_config huggingface_defaults() { return gpt2_small; } ///< GPT2Config's

  static constexpr std::span<const gguf_architecture> gguf = gpt2_gguf; ///< in GGUF files

  /// config.json, field by field: read, or written.
  template <class Fields>
  static void describe(Fields& f, gpt2_config& c, gpt2_settings& s) {
    f.architecture("GPT2LMHeadModel");
    f.must_be("add_cross_attention", false, "cross-attention is not supported");
    f.activation("activation_function", s.activation);
    f.count({"vocab_size"}, c.vocab_size, config_limits::vocab_size);
    f.count({"n_positions", "max_position_embeddings", "n_ctx"}, c.n_positions, config_limits::n_positions);
    f.copy("n_ctx", c.n_positions);
    f.count({"n_embd", "hidden_size"}, c.n_embd, config_limits::width);
    f.count({"n_layer", "num_hidden_layers"}, c.n_layer, config_limits::n_layer);
    f.count({"n_head", "num_attention_heads"}, c.n_head, config_limits::width);
    f.head_width("n_embd", c.n_embd, "n_head", c.n_head, c.head_width);
    f.count_or_null("n_inner", c.n_inner, 4 * c.n_embd, config_limits::n_inner);
    f.epsilon("layer_norm_epsilon", s.layer_norm_epsilon);
    f.boolean("scale_attn_weights", s.scale_attn_weights);
    f.boolean("scale_attn_by_inverse_layer_idx", s.scale_attn_by_inverse_layer_idx);
    f.ignored_boolean("reorder_and_upcast_attn"); // asks for the same arithmetic in f32: which it always is
    if constexpr (Fields::reading) s.windows.window = 128; // GPT-3's bands
    f.windows(s.windows, c.n_layer);
    describe_vocabulary(f, c, s, 50256, {50256});
  }
};

} // namespace transept::inline TRANSEPT_ABI
