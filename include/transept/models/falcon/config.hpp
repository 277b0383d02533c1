// The shapes of Falcon (Almazrouei et al. 2023), of its three generations: RW (one after another, ALiBi), 7B
// (parallel, one head of keys and values), 40B and later (the "new decoder architecture": parallel, a norm
// for each, some heads of keys and values).
//
//   constexpr transept::falcon_config mine{.n_embd = 512, .n_layer = 6, .n_head = 8};
#pragma once

#include <span>

#include <transept/layers/positions/rotary_frequencies.hpp>
#include <transept/models/falcon/names.hpp>
#include <transept/models/family.hpp>

namespace transept::inline TRANSEPT_ABI {

/// The shape of a Falcon.
struct falcon_config {
  int n_embd, n_layer, n_head; ///< width of the residual stream, blocks, each one's heads of queries
  int vocab_size = 65024;      ///< tokens
  int n_positions = 2048;      ///< what it was trained for
  int n_inner = static_cast<int>(product_of(4, n_embd));         ///< ffn_hidden_size
  int head_width = static_cast<int>(even_share(n_embd, n_head)); ///< head_dim
  choice tie_word_embeddings = true; ///< the output projection is the token embedding
  int n_key_value_head = 1;          ///< heads of keys and values: a divisor of n_head
  choice attention_bias = false;     ///< of queries, keys, values and attention's output
  choice mlp_bias = false;           ///< of the network
  choice second_norm = false;        ///< the network reads a norm of its own

  friend constexpr bool operator==(const falcon_config&, const falcon_config&) = default;

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
  static constexpr auto own_members = transept::members_of(
      member{"n_key_value_head", &falcon_config::n_key_value_head},
      member{"attention_bias", &falcon_config::attention_bias}, member{"mlp_bias", &falcon_config::mlp_bias},
      member{"second_norm", &falcon_config::second_norm});
};

/// Falcon 7B: 6,921,720,704 parameters.
inline constexpr falcon_config falcon_7b{.n_embd = 4544, .n_layer = 32, .n_head = 71};
/// Falcon 40B: 41,303,293,952 parameters.
inline constexpr falcon_config falcon_40b{
    .n_embd = 8192, .n_layer = 60, .n_head = 128, .n_key_value_head = 8, .second_norm = true};

/// Any shape, told at run time.
inline constexpr falcon_config any_falcon = any_of(falcon_7b);

/// What a Falcon is at run time besides its shape.
struct falcon_settings {
  float layer_norm_epsilon = 1e-5f;                       ///< of all norms
  activation_type activation = activation_type::gelu_erf; ///< of the network
  bool alibi = false;                                     ///< positions by linear biases, not by rotation
  bool parallel_attn = true;                              ///< attention and network beside each other
  rotary_settings rotary = {};                            ///< its width, that of a head, must be set
  std::optional<token_id> bos_token_id = 11;              ///< begins a text, where there is one
  std::vector<token_id> eos_token_ids = {11};             ///< a generation stops at any of these

  bool operator==(const falcon_settings&) const = default; ///< member by member
};

template <falcon_config Config, class Weights>
struct falcon;

/// What files say of a Falcon.
struct falcon_family : family_of<falcon_config, falcon_settings, falcon> {
  /// Of the family, and of its shape in C++.
  static constexpr std::string_view name = "Falcon", config_name = "falcon_config";
  static constexpr std::array<std::string_view, 1> model_types{"falcon"}; ///< in config.json
  static constexpr std::span<const gguf_architecture> gguf = falcon_gguf; ///< in GGUF files

  static falcon_config huggingface_defaults() { return falcon_7b; } ///< FalconConfig's

  /// config.json, field by field: read, or written.
  template <class Fields>
  static void describe(Fields& f, falcon_config& c, falcon_settings& s) {
    f.architecture("FalconForCausalLM");
    f.activation("activation", s.activation);
    f.count({"vocab_size"}, c.vocab_size, config_limits::vocab_size);
    f.count({"max_position_embeddings"}, c.n_positions, config_limits::n_positions);
    f.count({"hidden_size", "n_embed"}, c.n_embd, config_limits::width);
    f.count({"num_hidden_layers", "n_layer"}, c.n_layer, config_limits::n_layer);
    f.count({"num_attention_heads", "n_head"}, c.n_head, config_limits::width);
    f.head_width("hidden_size", c.n_embd, "num_attention_heads", c.n_head, c.head_width);
    f.count_or_null("ffn_hidden_size", c.n_inner, 4 * c.n_embd, config_limits::n_inner);
    f.epsilon("layer_norm_epsilon", s.layer_norm_epsilon);
    f.boolean("alibi", s.alibi);
    f.choice("bias", c.attention_bias);
    c.mlp_bias = c.attention_bias;
    describe_blocks(f, c, s);
    f.rotary(s.rotary, c.head_width, c.n_positions);
    describe_vocabulary(f, c, s, 11, {11});
  }

private:
  /// The generation: which norms there are, and how many heads of keys and values. What the new architecture
  /// shares with the older ones is written as theirs.
  template <class Fields>
  static void describe_blocks(Fields& f, falcon_config& c, falcon_settings& s) {
    const bool shares_some = c.n_key_value_head != 1 && c.n_key_value_head != c.n_head;
    bool is_new = !Fields::reading && s.parallel_attn && (c.second_norm || shares_some);
    f.boolean("new_decoder_architecture", is_new);
    f.boolean("parallel_attn", s.parallel_attn);
    bool multi_query = Fields::reading || c.n_key_value_head == 1;
    f.boolean("multi_query", multi_query);
    int key_value_heads = c.n_key_value_head;
    f.shared_heads("num_kv_heads", "num_attention_heads", c.n_head, key_value_heads);
    int norms = is_new && !c.second_norm ? 1 : 2;
    f.count_or_null("num_ln_in_parallel_attn", norms, 2, 2);
    if constexpr (Fields::reading) {
      if (is_new && !s.parallel_attn)
        f.fail("parallel_attn: expected true, since new_decoder_architecture is, found false");
      c.n_key_value_head = is_new ? key_value_heads : multi_query ? 1 : c.n_head;
      c.second_norm = is_new ? norms == 2 : !s.parallel_attn;
    }
  }
};

} // namespace transept::inline TRANSEPT_ABI
