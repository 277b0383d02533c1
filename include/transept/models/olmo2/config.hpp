// The shapes of OLMo 2 (OLMo et al. 2024).
//
//   constexpr transept::olmo2_config mine{.n_embd = 512, .n_layer = 6, .n_head = 8};
#pragma once

#include <span>

#include <transept/layers/positions/rotary_frequencies.hpp>
#include <transept/models/family.hpp>
#include <transept/models/olmo2/names.hpp>

namespace transept::inline TRANSEPT_ABI {

/// The shape of an OLMo 2.
struct olmo2_config {
  int n_embd, n_layer, n_head; ///< width of the residual stream, blocks, each one's heads of queries
  int vocab_size = 50304;      ///< tokens
  int n_positions = 2048;      ///< what it was trained for
  int n_inner = static_cast<int>(product_of(4, n_embd)); ///< intermediate_size: of gate and value each
  int head_width = static_cast<int>(even_share(n_embd, n_head)); ///< head_dim
  choice tie_word_embeddings = false; ///< the output projection is the token embedding
  int n_key_value_head = n_head;      ///< num_key_value_heads: a divisor of n_head
  choice attention_bias = false;      ///< of queries, keys, values and attention's output

  friend constexpr bool operator==(const olmo2_config&, const olmo2_config&) = default;

  /// Of every block's attention: the queries of all heads are normed together, and so are the keys.
  constexpr attention_extents attention() const {
    return {.width = n_embd,
            .heads = n_head,
            .key_value_heads = n_key_value_head,
            .head_width = head_width,
            .input_bias = attention_bias,
            .output_bias = attention_bias,
            .head_norms = true,
            .norm_kind = head_norm_kind::joint_rms};
  }

  /// Those beside the eight that all configs have.
  static constexpr auto own_members =
      transept::members_of(member{"n_key_value_head", &olmo2_config::n_key_value_head},
                           member{"attention_bias", &olmo2_config::attention_bias});
};

/// OLMo 2 7B: 7,298,617,344 parameters.
inline constexpr olmo2_config olmo2_7b{
    .n_embd = 4096, .n_layer = 32, .n_head = 32, .vocab_size = 100352, .n_positions = 4096, .n_inner = 11008};

/// Any shape, told at run time.
inline constexpr olmo2_config any_olmo2 = any_of(olmo2_7b);

/// What an OLMo 2 is at run time besides its shape.
struct olmo2_settings {
  float rms_norm_eps = 1e-5f;                         ///< of all norms
  activation_type activation = activation_type::silu; ///< of the gate; hidden_act
  rotary_settings rotary = {};                        ///< its width, that of a head, must be set
  std::optional<token_id> bos_token_id = {};          ///< begins a text, where there is one
  std::vector<token_id> eos_token_ids = {50279};      ///< a generation stops at any of these

  bool operator==(const olmo2_settings&) const = default; ///< member by member
};

template <olmo2_config Config, class Weights>
struct olmo2;

/// What files say of an OLMo 2.
struct olmo2_family : family_of<olmo2_config, olmo2_settings, olmo2> {
  /// Of the family, and of its shape in C++.
  static constexpr std::string_view name = "OLMo 2", config_name = "olmo2_config";
  static constexpr std::array<std::string_view, 1> model_types{"olmo2"}; ///< in config.json
  static constexpr std::span<const gguf_architecture> gguf = olmo2_gguf; ///< in GGUF files

  /// Olmo2Config's.
  static olmo2_config huggingface_defaults() {
    return {.n_embd = 4096, .n_layer = 32, .n_head = 32, .n_inner = 11008};
  }

  /// config.json, field by field: read, or written.
  template <class Fields>
  static void describe(Fields& f, olmo2_config& c, olmo2_settings& s) {
    f.architecture("Olmo2ForCausalLM");
    f.activation("hidden_act", s.activation);
    describe_sizes(f, c);
    f.shared_heads("num_key_value_heads", "num_attention_heads", c.n_head, c.n_key_value_head);
    f.epsilon("rms_norm_eps", s.rms_norm_eps);
    f.choice("attention_bias", c.attention_bias);
    f.rotary(s.rotary, c.head_width, c.n_positions);
    describe_vocabulary(f, c, s, std::nullopt, {50279});
  }
};

} // namespace transept::inline TRANSEPT_ABI
