// The shape of a GPT (Radford et al. 2018): the structural template parameter of `gpt1<config>`. Names are
// those of Hugging Face's config.json.
#pragma once

#include <transept/models/family.hpp>

namespace transept::inline TRANSEPT_ABI {

/// The shape of a GPT.
struct gpt1_config {
  int n_embd;                                                    ///< width of the residual stream
  int n_layer;                                                   ///< number of blocks
  int n_head;                                                    ///< attention heads per block
  int vocab_size = 40478;                                        ///< tokens
  int n_positions = 512;                                         ///< longest context
  int n_inner = static_cast<int>(product_of(4, n_embd));         ///< always; config.json has no name for it
  int head_width = static_cast<int>(even_share(n_embd, n_head)); ///< config.json's head_dim
  choice tie_word_embeddings = true; ///< the output projection is the token embedding

  friend constexpr bool operator==(const gpt1_config&, const gpt1_config&) = default;

  /// Of every block's attention.
  constexpr attention_extents attention() const {
    return {.width = n_embd, .heads = n_head, .head_width = head_width};
  }
};

/// The published one: 116,534,784 parameters.
inline constexpr gpt1_config openai_gpt{.n_embd = 768, .n_layer = 12, .n_head = 12};

/// Any shape, told at run time.
inline constexpr gpt1_config any_gpt1 = any_of(openai_gpt);

/// What a GPT is at run time besides its shape.
struct gpt1_settings {
  float layer_norm_epsilon = 1e-5f;                        ///< of all norms
  activation_type activation = activation_type::gelu_tanh; ///< config.json's afn, where "gelu" is this one
  std::optional<token_id> bos_token_id = {}; ///< none: the published vocabulary has no such token
  std::vector<token_id> eos_token_ids = {};  ///< a generation stops at any of these

  bool operator==(const gpt1_settings&) const = default; ///< member by member
};

template <gpt1_config Config, class Weights>
struct gpt1;

/// What files say of a GPT.
struct gpt1_family : family_of<gpt1_config, gpt1_settings, gpt1> {
  /// Of the family, and of its shape in C++.
  static constexpr std::string_view name = "GPT", config_name = "gpt1_config";
  static constexpr std::array<std::string_view, 1> model_types{"openai-gpt"}; ///< in config.json

  static gpt1_config huggingface_defaults() { return openai_gpt; } ///< OpenAIGPTConfig's

  /// config.json, field by field: read, or written.
  template <class Fields>
  static void describe(Fields& f, gpt1_config& c, gpt1_settings& s) {
    f.architecture("OpenAIGPTLMHeadModel");
    f.activation("afn", s.activation, false,
                 {{"gelu", activation_type::gelu_tanh}, {"gelu_python", activation_type::gelu_erf}});
    f.count({"vocab_size"}, c.vocab_size, config_limits::vocab_size);
    f.count({"n_positions", "max_position_embeddings"}, c.n_positions, config_limits::n_positions);
    f.count({"n_embd", "hidden_size"}, c.n_embd, config_limits::width);
    f.count({"n_layer", "num_hidden_layers"}, c.n_layer, config_limits::n_layer);
    f.count({"n_head", "num_attention_heads"}, c.n_head, config_limits::width);
    f.head_width("n_embd", c.n_embd, "n_head", c.n_head, c.head_width);
    c.n_inner = 4 * c.n_embd;
    f.epsilon("layer_norm_epsilon", s.layer_norm_epsilon);
    describe_vocabulary(f, c, s, std::nullopt, {});
  }
};

} // namespace transept::inline TRANSEPT_ABI
