// The shape of a GPT (Radford et al. 2018): the structural template parameter of `gpt1<config>`. Names are
// those of Hugging Face's config.json.
#pragma once

#include <transept/models/family.hpp>

namespace transept::inline TRANSEPT_ABI {

struct gpt1_config {
  int n_embd;
  int n_layer;
  int n_head;
  int vocab_size = 40478;
  int n_positions = 512;
  int n_inner = static_cast<int>(product_of(4, n_embd)); ///< always; config.json has no name for it
  int head_width = static_cast<int>(even_share(n_embd, n_head));
  choice tie_word_embeddings = true;

  friend constexpr bool operator==(const gpt1_config&, const gpt1_config&) = default;

  constexpr attention_extents attention() const {
    return {.width = n_embd, .heads = n_head, .head_width = head_width};
  }
};

inline constexpr gpt1_config openai_gpt{.n_embd = 768, .n_layer = 12, .n_head = 12}; // 116,534,784 parameters

/// Any shape, told at run time.
inline constexpr gpt1_config any_gpt1 = any_of(openai_gpt);

struct gpt1_settings {
  float layer_norm_epsilon = 1e-5f;
  activation_type activation = activation_type::gelu_tanh;
  std::optional<token_id> bos_token_id = {};
  std::vector<token_id> eos_token_ids = {};

  bool operator==(const gpt1_settings&) const = default;
};

template <gpt1_config Config, class Weights>
struct gpt1;

struct gpt1_family : family_of<gpt1_config, gpt1_settings, gpt1> {
  static constexpr std::string_view name = "GPT", config_name = "gpt1_config";
  static constexpr std::array<std::string_view, 1> model_types{"openai-gpt"};

  static gpt1_config huggingface_defaults() { return openai_gpt; }

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
