// The shapes of BLOOM (BigScience 2022).
//
//   constexpr transept::bloom_config mine{.n_embd = 512, .n_layer = 6, .n_head = 8, .vocab_size = 50304};
#pragma once

#include <span>

#include <transept/models/bloom/names.hpp>
#include <transept/models/family.hpp>

namespace transept::inline TRANSEPT_ABI {

/// The shape of a BLOOM.
struct bloom_config {
  int n_embd;                                                    ///< hidden_size
  int n_layer;                                                   ///< number of blocks
  int n_head;                                                    ///< attention heads per block
  int vocab_size = 250880;                                       ///< tokens
  int n_positions = 2048;                                        ///< seq_length: what it was trained for
  int n_inner = static_cast<int>(product_of(4, n_embd));         ///< always
  int head_width = static_cast<int>(even_share(n_embd, n_head)); ///< head_dim
  choice tie_word_embeddings = true; ///< the output projection is the token embedding

  friend constexpr bool operator==(const bloom_config&, const bloom_config&) = default;

  /// Of every block's attention.
  constexpr attention_extents attention() const {
    return {.width = n_embd, .heads = n_head, .head_width = head_width};
  }
};

/// BLOOM-560M: 559,214,592 parameters.
inline constexpr bloom_config bloom_560m{.n_embd = 1024, .n_layer = 24, .n_head = 16};
/// BLOOM itself: 176,247,271,424 parameters.
inline constexpr bloom_config bloom_176b{.n_embd = 14336, .n_layer = 70, .n_head = 112};

/// Any shape, told at run time.
inline constexpr bloom_config any_bloom = any_of(bloom_560m);

/// What a BLOOM is at run time besides its shape.
struct bloom_settings {
  float layer_norm_epsilon = 1e-5f;                        ///< of all norms
  activation_type activation = activation_type::gelu_tanh; ///< which no config.json says
  bool residual_after_norm = false;                        ///< apply_residual_connection_post_layernorm
  std::optional<token_id> bos_token_id = 1;                ///< begins a text, where there is one
  std::vector<token_id> eos_token_ids = {2};               ///< a generation stops at any of these

  bool operator==(const bloom_settings&) const = default; ///< member by member
};

template <bloom_config Config, class Weights>
struct bloom;

/// What files say of a BLOOM.
struct bloom_family : family_of<bloom_config, bloom_settings, bloom> {
  /// Of the family, and of its shape in C++.
  static constexpr std::string_view name = "BLOOM", config_name = "bloom_config";
  static constexpr std::array<std::string_view, 1> model_types{"bloom"}; ///< in config.json
  static constexpr std::span<const gguf_architecture> gguf = bloom_gguf; ///< in GGUF files

  /// BloomConfig's, which is no published model's.
  static bloom_config huggingface_defaults() { return {.n_embd = 64, .n_layer = 2, .n_head = 8}; }

  /// config.json, field by field: read, or written.
  template <class Fields>
  static void describe(Fields& f, bloom_config& c, bloom_settings& s) {
    f.architecture("BloomForCausalLM");
    f.count({"vocab_size"}, c.vocab_size, config_limits::vocab_size);
    f.count({"seq_length"}, c.n_positions, config_limits::n_positions);
    f.count({"hidden_size"}, c.n_embd, config_limits::width);
    f.older_count("n_embed", c.n_embd, config_limits::width);
    c.n_inner = 4 * c.n_embd;
    f.count({"n_layer"}, c.n_layer, config_limits::n_layer);
    f.older_count("num_hidden_layers", c.n_layer, config_limits::n_layer);
    f.count({"n_head"}, c.n_head, config_limits::width);
    f.older_count("num_attention_heads", c.n_head, config_limits::width);
    f.head_width("hidden_size", c.n_embd, "n_head", c.n_head, c.head_width);
    f.epsilon("layer_norm_epsilon", s.layer_norm_epsilon);
    f.boolean("apply_residual_connection_post_layernorm", s.residual_after_norm);
    describe_vocabulary(f, c, s, 1, {2});
  }
};

} // namespace transept::inline TRANSEPT_ABI
