// The shapes of GPT-NeoX (Black et al. 2022) and Pythia (Biderman et al. 2023).
//
//   constexpr transept::neox_config mine{.n_embd = 512, .n_layer = 6, .n_head = 8, .vocab_size = 50304};
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include <transept/core/activation.hpp>
#include <transept/core/types.hpp>
#include <transept/layers/attention.hpp>
#include <transept/models/family.hpp>
#include <transept/models/rotary_fields.hpp>

namespace transept::inline TRANSEPT_ABI {

struct neox_config {
  int n_embd;  ///< hidden_size
  int n_layer; ///< num_hidden_layers
  int n_head;  ///< num_attention_heads
  int vocab_size = 50432;
  int n_positions = 2048;                                ///< max_position_embeddings: what it was trained for
  int n_inner = static_cast<int>(product_of(4, n_embd)); ///< intermediate_size
  int head_width = static_cast<int>(even_share(n_embd, n_head));
  choice tie_word_embeddings = false;
  choice attention_bias = true;

  friend constexpr bool operator==(const neox_config&, const neox_config&) = default;

  constexpr attention_extents attention() const {
    return {.width = n_embd,
            .heads = n_head,
            .head_width = head_width,
            .input_bias = attention_bias,
            .output_bias = attention_bias};
  }

  /// Calls f(name, pointer to member) for each member.
  template <class F>
  static constexpr void for_each_member(F&& f) {
    f("n_embd", &neox_config::n_embd);
    f("n_layer", &neox_config::n_layer);
    f("n_head", &neox_config::n_head);
    f("vocab_size", &neox_config::vocab_size);
    f("n_positions", &neox_config::n_positions);
    f("n_inner", &neox_config::n_inner);
    f("head_width", &neox_config::head_width);
    f("tie_word_embeddings", &neox_config::tie_word_embeddings);
    f("attention_bias", &neox_config::attention_bias);
  }
};

inline constexpr neox_config neox_20b{.n_embd = 6144, .n_layer = 44, .n_head = 64};
inline constexpr neox_config pythia_160m{// 162,322,944 parameters
                                         .n_embd = 768,
                                         .n_layer = 12,
                                         .n_head = 12,
                                         .vocab_size = 50304};

/// Any shape, told at run time.
inline constexpr neox_config any_neox = any_of(neox_20b);

struct neox_settings {
  float layer_norm_eps = 1e-5f;
  activation_type activation = activation_type::gelu_erf;
  bool use_parallel_residual = true;
  rotary_settings rotary = {};
  std::optional<token_id> bos_token_id = 0;
  std::vector<token_id> eos_token_ids = {2};

  bool operator==(const neox_settings&) const = default;
};

template <neox_config Config, class Weights>
struct neox;

struct neox_family {
  using config = neox_config;
  using settings = neox_settings;
  template <neox_config Config, class Weights>
  using model = neox<Config, Weights>;
  static constexpr std::string_view name = "GPT-NeoX", config_name = "neox_config";
  static constexpr std::array<std::string_view, 1> model_types{"gpt_neox"};
  static constexpr neox_config any = any_neox;
  static constexpr std::size_t members_without_default = 3;

  static constexpr neox_config with_defaults(const neox_config& c) {
    return {.n_embd = c.n_embd, .n_layer = c.n_layer, .n_head = c.n_head};
  }
  static neox_config huggingface_defaults() { return neox_20b; }

  /// A new model's shape, from what a person chooses; a quarter of a head is rotated, in whole pairs.
  static neox_config sized(int width, int n_layer, int n_head, int vocab_size, int n_positions,
                           neox_settings& s) {
    const neox_config c{.n_embd = width,
                        .n_layer = n_layer,
                        .n_head = n_head,
                        .vocab_size = vocab_size,
                        .n_positions = n_positions};
    s.rotary.width = static_cast<std::size_t>(std::max(2, c.head_width / 8 * 2));
    s.rotary.max_position_embeddings = static_cast<std::size_t>(n_positions);
    return c;
  }

  /// config.json, field by field: read, or written.
  template <class Fields>
  static void describe(Fields& f, neox_config& c, neox_settings& s) {
    f.architecture("GPTNeoXForCausalLM");
    f.activation("hidden_act", s.activation);
    f.count({"vocab_size"}, c.vocab_size, config_limits::vocab_size);
    f.count({"max_position_embeddings"}, c.n_positions, config_limits::n_positions);
    f.count({"hidden_size"}, c.n_embd, config_limits::width);
    f.count({"intermediate_size"}, c.n_inner, config_limits::n_inner);
    f.count({"num_hidden_layers"}, c.n_layer, config_limits::n_layer);
    f.count({"num_attention_heads"}, c.n_head, config_limits::width);
    f.head_width("hidden_size", c.n_embd, "num_attention_heads", c.n_head, c.head_width);
    f.epsilon("layer_norm_eps", s.layer_norm_eps);
    f.boolean("use_parallel_residual", s.use_parallel_residual);
    f.choice("attention_bias", c.attention_bias);
    f.rotary(s.rotary, c.head_width, c.n_positions, 0.25);
    f.token("bos_token_id", s.bos_token_id, 0, c.vocab_size);
    f.tokens("eos_token_id", s.eos_token_ids, {2}, c.vocab_size);
    f.choice("tie_word_embeddings", c.tie_word_embeddings);
  }
};

} // namespace transept::inline TRANSEPT_ABI
