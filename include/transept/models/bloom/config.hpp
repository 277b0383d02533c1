// The shapes of BLOOM (BigScience 2022).
//
//   constexpr transept::bloom_config mine{.n_embd = 512, .n_layer = 6, .n_head = 8, .vocab_size = 50304};
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include <transept/core/activation.hpp>
#include <transept/core/types.hpp>
#include <transept/layers/attention.hpp>
#include <transept/models/family.hpp>

namespace transept::inline TRANSEPT_ABI {

struct bloom_config {
  int n_embd;  ///< hidden_size
  int n_layer; ///< number of blocks
  int n_head;  ///< attention heads per block
  int vocab_size = 250880;
  int n_positions = 2048;                                ///< seq_length: what it was trained for
  int n_inner = static_cast<int>(product_of(4, n_embd)); ///< always
  int head_width = static_cast<int>(even_share(n_embd, n_head));
  choice tie_word_embeddings = true;

  friend constexpr bool operator==(const bloom_config&, const bloom_config&) = default;

  constexpr attention_extents attention() const {
    return {.width = n_embd, .heads = n_head, .head_width = head_width};
  }

  /// Calls f(name, pointer to member) for each member.
  template <class F>
  static constexpr void for_each_member(F&& f) {
    f("n_embd", &bloom_config::n_embd);
    f("n_layer", &bloom_config::n_layer);
    f("n_head", &bloom_config::n_head);
    f("vocab_size", &bloom_config::vocab_size);
    f("n_positions", &bloom_config::n_positions);
    f("n_inner", &bloom_config::n_inner);
    f("head_width", &bloom_config::head_width);
    f("tie_word_embeddings", &bloom_config::tie_word_embeddings);
  }
};

inline constexpr bloom_config bloom_560m{
    .n_embd = 1024, .n_layer = 24, .n_head = 16}; // 559,214,592 parameters
inline constexpr bloom_config bloom_176b{.n_embd = 14336, .n_layer = 70, .n_head = 112};

/// Any shape, told at run time.
inline constexpr bloom_config any_bloom = any_of(bloom_560m);

struct bloom_settings {
  float layer_norm_epsilon = 1e-5f;
  activation_type activation = activation_type::gelu_tanh; // which no config.json says
  bool residual_after_norm = false;                        ///< apply_residual_connection_post_layernorm
  std::optional<token_id> bos_token_id = 1;
  std::vector<token_id> eos_token_ids = {2};

  bool operator==(const bloom_settings&) const = default;
};

template <bloom_config Config, class Weights>
struct bloom;

struct bloom_family {
  using config = bloom_config;
  using settings = bloom_settings;
  template <bloom_config Config, class Weights>
  using model = bloom<Config, Weights>;
  static constexpr std::string_view name = "BLOOM", config_name = "bloom_config";
  static constexpr std::array<std::string_view, 1> model_types{"bloom"};
  static constexpr bloom_config any = any_bloom;
  static constexpr std::size_t members_without_default = 3;

  static constexpr bloom_config with_defaults(const bloom_config& c) {
    return {.n_embd = c.n_embd, .n_layer = c.n_layer, .n_head = c.n_head};
  }
  static bloom_config huggingface_defaults() { return {.n_embd = 64, .n_layer = 2, .n_head = 8}; }

  /// A new model's shape, from what a person chooses.
  static bloom_config sized(int width, int n_layer, int n_head, int vocab_size, int n_positions,
                            const bloom_settings&) {
    return {.n_embd = width,
            .n_layer = n_layer,
            .n_head = n_head,
            .vocab_size = vocab_size,
            .n_positions = n_positions};
  }

  /// config.json, field by field: read, or written.
  template <class Fields>
  static void describe(Fields& f, bloom_config& c, bloom_settings& s) {
    f.architecture("BloomForCausalLM");
    f.count({"vocab_size"}, c.vocab_size, config_limits::vocab_size);
    f.count({"seq_length"}, c.n_positions, config_limits::n_positions);
    f.count({"hidden_size", "n_embed"}, c.n_embd, config_limits::width);
    c.n_inner = 4 * c.n_embd;
    f.count({"n_layer", "num_hidden_layers"}, c.n_layer, config_limits::n_layer);
    f.count({"n_head", "num_attention_heads"}, c.n_head, config_limits::width);
    f.head_width("hidden_size", c.n_embd, "n_head", c.n_head, c.head_width);
    f.epsilon("layer_norm_epsilon", s.layer_norm_epsilon);
    f.boolean("apply_residual_connection_post_layernorm", s.residual_after_norm);
    f.token("bos_token_id", s.bos_token_id, 1, c.vocab_size);
    f.tokens("eos_token_id", s.eos_token_ids, {2}, c.vocab_size);
    f.choice("tie_word_embeddings", c.tie_word_embeddings);
  }
};

} // namespace transept::inline TRANSEPT_ABI
