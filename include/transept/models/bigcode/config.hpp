// The shapes of GPT-BigCode (Ben Allal et al. 2023), which StarCoder and SantaCoder are.
//
//   constexpr transept::bigcode_config mine{.n_embd = 512, .n_layer = 6, .n_head = 8};
#pragma once

#include <span>

#include <transept/models/bigcode/names.hpp>
#include <transept/models/family.hpp>

namespace transept::inline TRANSEPT_ABI {

/// The shape of a GPT-BigCode.
struct bigcode_config {
  int n_embd, n_layer, n_head; ///< width of the residual stream, blocks, each one's heads of queries
  int vocab_size = 50257;      ///< tokens
  int n_positions = 1024;      ///< the longest context: rows of the table of positions
  int n_inner = static_cast<int>(product_of(4, n_embd));         ///< width of the network
  int head_width = static_cast<int>(even_share(n_embd, n_head)); ///< head_dim
  choice tie_word_embeddings = true; ///< the output projection is the token embedding
  int n_key_value_head = 1;          ///< multi_query: 1; else as many as of queries

  friend constexpr bool operator==(const bigcode_config&, const bigcode_config&) = default;

  /// Of every block's attention.
  constexpr attention_extents attention() const {
    return {.width = n_embd, .heads = n_head, .key_value_heads = n_key_value_head, .head_width = head_width};
  }

  /// The one beside the eight that all configs have.
  static constexpr auto own_members =
      transept::members_of(member{"n_key_value_head", &bigcode_config::n_key_value_head});
};

/// StarCoder: 15,517,456,384 parameters.
inline constexpr bigcode_config starcoder{
    .n_embd = 6144, .n_layer = 40, .n_head = 48, .vocab_size = 49152, .n_positions = 8192};

/// Any shape, told at run time.
inline constexpr bigcode_config any_bigcode = any_of(starcoder);

/// What a GPT-BigCode is at run time besides its shape.
struct bigcode_settings {
  float layer_norm_epsilon = 1e-5f;                        ///< of all norms
  activation_type activation = activation_type::gelu_tanh; ///< activation_function
  bool scale_attn_weights = true;                          ///< divide scores by √head_width
  std::optional<token_id> bos_token_id = 50256;            ///< begins a text, where there is one
  std::vector<token_id> eos_token_ids = {50256};           ///< a generation stops at any of these

  bool operator==(const bigcode_settings&) const = default; ///< member by member
};

template <bigcode_config Config, class Weights>
struct bigcode;

/// What files say of a GPT-BigCode.
struct bigcode_family : family_of<bigcode_config, bigcode_settings, bigcode> {
  /// Of the family, and of its shape in C++.
  static constexpr std::string_view name = "GPT-BigCode", config_name = "bigcode_config";
  static constexpr std::array<std::string_view, 1> model_types{"gpt_bigcode"}; ///< in config.json
  static constexpr std::span<const gguf_architecture> gguf = bigcode_gguf;     ///< in GGUF files

  /// GPTBigCodeConfig's, which is no published model's.
  static bigcode_config huggingface_defaults() { return {.n_embd = 768, .n_layer = 12, .n_head = 12}; }

  /// config.json, field by field: read, or written.
  template <class Fields>
  static void describe(Fields& f, bigcode_config& c, bigcode_settings& s) {
    f.architecture("GPTBigCodeForCausalLM");
    f.must_be("add_cross_attention", false, "cross-attention is not supported");
    f.activation("activation_function", s.activation);
    f.count({"vocab_size"}, c.vocab_size, config_limits::vocab_size);
    f.count({"n_positions", "max_position_embeddings"}, c.n_positions, config_limits::n_positions);
    f.count({"n_embd", "hidden_size"}, c.n_embd, config_limits::width);
    f.count({"n_layer", "num_hidden_layers"}, c.n_layer, config_limits::n_layer);
    f.count({"n_head", "num_attention_heads"}, c.n_head, config_limits::width);
    f.head_width("n_embd", c.n_embd, "n_head", c.n_head, c.head_width);
    f.count_or_null("n_inner", c.n_inner, 4 * c.n_embd, config_limits::n_inner);
    bool multi_query = Fields::reading || (c.n_key_value_head == 1 && c.n_head > 1);
    f.boolean("multi_query", multi_query);
    c.n_key_value_head = multi_query ? 1 : c.n_head;
    f.epsilon("layer_norm_epsilon", s.layer_norm_epsilon);
    f.boolean("scale_attn_weights", s.scale_attn_weights);
    describe_vocabulary(f, c, s, 50256, {50256});
  }
};

} // namespace transept::inline TRANSEPT_ABI
