// The shapes of Gemma 1 and 2 (Gemma Team 2024).
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
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

struct gemma_config {
  int n_embd;                    ///< hidden_size
  int n_layer;                   ///< num_hidden_layers
  int n_head;                    ///< num_attention_heads
  int n_inner;                   ///< intermediate_size
  int n_key_value_head = n_head; ///< num_key_value_heads
  int head_width = 256;          ///< head_dim
  int vocab_size = 256000;
  int n_positions = 8192; ///< max_position_embeddings: what it was trained for
  choice tie_word_embeddings = true;
  choice attention_bias = false;
  bool sandwiched = false; ///< norms of what attention and network add, too: Gemma 2

  friend constexpr bool operator==(const gemma_config&, const gemma_config&) = default;

  constexpr attention_extents attention() const {
    return {.width = n_embd,
            .heads = n_head,
            .key_value_heads = n_key_value_head,
            .head_width = head_width,
            .input_bias = attention_bias,
            .output_bias = attention_bias};
  }

  /// Calls f(name, pointer to member) for each member.
  template <class F>
  static constexpr void for_each_member(F&& f) {
    f("n_embd", &gemma_config::n_embd);
    f("n_layer", &gemma_config::n_layer);
    f("n_head", &gemma_config::n_head);
    f("n_inner", &gemma_config::n_inner);
    f("n_key_value_head", &gemma_config::n_key_value_head);
    f("head_width", &gemma_config::head_width);
    f("vocab_size", &gemma_config::vocab_size);
    f("n_positions", &gemma_config::n_positions);
    f("tie_word_embeddings", &gemma_config::tie_word_embeddings);
    f("attention_bias", &gemma_config::attention_bias);
    f("sandwiched", &gemma_config::sandwiched);
  }
};

inline constexpr gemma_config gemma_7b{.n_embd = 3072, .n_layer = 28, .n_head = 16, .n_inner = 24576};
inline constexpr gemma_config gemma2_2b{
    .n_embd = 2304, .n_layer = 26, .n_head = 8, .n_inner = 9216, .n_key_value_head = 4, .sandwiched = true};

/// Any shape of Gemma 1 or of Gemma 2, told at run time.
inline constexpr gemma_config any_gemma = any_of(gemma_7b), any_gemma2 = any_of(gemma2_2b);

struct gemma_settings {
  float rms_norm_eps = 1e-6f;
  activation_type activation = activation_type::gelu_tanh;
  rotary_settings rotary = {};
  // Gemma 2.
  float query_pre_attn_scalar =
      256.0f;                        ///< scores are divided by its root; Gemma 1: by that of the head width
  float attn_logit_soft_cap = 50.0f; ///< 0: none
  float final_logit_soft_cap = 0.0f; ///< 0: none
  layer_windows windows = {};        ///< every second block slides, from the first on
  std::optional<token_id> bos_token_id = 2;
  std::vector<token_id> eos_token_ids = {1};

  bool operator==(const gemma_settings&) const = default;
};

template <gemma_config Config, class Weights>
struct gemma;

struct gemma_family {
  using config = gemma_config;
  using settings = gemma_settings;
  template <gemma_config Config, class Weights>
  using model = gemma<Config, Weights>;
  static constexpr std::string_view name = "Gemma", config_name = "gemma_config";
  static constexpr std::array<std::string_view, 1> model_types{"gemma"};
  static constexpr gemma_config any = any_gemma;
  static constexpr std::size_t members_without_default = 4;

  static constexpr gemma_config with_defaults(const gemma_config& c) {
    return {.n_embd = c.n_embd, .n_layer = c.n_layer, .n_head = c.n_head, .n_inner = c.n_inner};
  }
  static gemma_config huggingface_defaults() { return gemma_7b; }

  /// A new model's shape, from what a person chooses.
  static gemma_config sized(int width, int n_layer, int n_head, int vocab_size, int n_positions,
                            gemma_settings& s) {
    s.rotary.width = static_cast<std::size_t>(width / n_head);
    s.rotary.max_position_embeddings = static_cast<std::size_t>(n_positions);
    return {.n_embd = width,
            .n_layer = n_layer,
            .n_head = n_head,
            .n_inner = 4 * width,
            .head_width = width / n_head,
            .vocab_size = vocab_size,
            .n_positions = n_positions};
  }

  /// config.json, field by field: read, or written.
  template <class Fields>
  static void describe(Fields& f, gemma_config& c, gemma_settings& s) {
    f.architecture(c.sandwiched ? "Gemma2ForCausalLM" : "GemmaForCausalLM");
    f.activation("hidden_act", s.activation);
    f.activation("hidden_activation", s.activation, /*null_is_absent*/ true);
    f.count({"vocab_size"}, c.vocab_size, config_limits::vocab_size);
    f.count({"max_position_embeddings"}, c.n_positions, config_limits::n_positions);
    f.count({"hidden_size"}, c.n_embd, config_limits::width);
    f.count({"intermediate_size"}, c.n_inner, config_limits::n_inner);
    f.count({"num_hidden_layers"}, c.n_layer, config_limits::n_layer);
    f.count({"num_attention_heads"}, c.n_head, config_limits::width);
    f.shared_heads("num_key_value_heads", "num_attention_heads", c.n_head, c.n_key_value_head,
                   c.sandwiched ? 4 : 16);
    f.head_width("hidden_size", c.n_embd, "num_attention_heads", c.n_head, c.head_width, 256);
    f.epsilon("rms_norm_eps", s.rms_norm_eps);
    f.choice("attention_bias", c.attention_bias);
    f.rotary(s.rotary, c.head_width, c.n_positions);
    if (c.sandwiched) {
      if constexpr (Fields::reading) s.final_logit_soft_cap = 30.0f;
      f.positive("query_pre_attn_scalar", s.query_pre_attn_scalar);
      f.positive("attn_logit_softcapping", s.attn_logit_soft_cap, /*null_is*/ 0.0f);
      f.positive("final_logit_softcapping", s.final_logit_soft_cap, /*null_is*/ 0.0f);
      if constexpr (Fields::reading) {
        s.windows = in_turn(c.n_layer, 4096);
        s.windows.slides.flip();
      }
      f.windows(s.windows, c.n_layer);
    }
    f.token("bos_token_id", s.bos_token_id, 2, c.vocab_size);
    f.tokens("eos_token_id", s.eos_token_ids, {1}, c.vocab_size);
    f.choice("tie_word_embeddings", c.tie_word_embeddings);
  }
};

struct gemma2_family : gemma_family {
  static constexpr std::string_view name = "Gemma 2";
  static constexpr std::array<std::string_view, 1> model_types{"gemma2"};
  static constexpr gemma_config any = any_gemma2;

  static constexpr gemma_config with_defaults(const gemma_config& c) {
    gemma_config defaults = gemma_family::with_defaults(c);
    defaults.sandwiched = true;
    return defaults;
  }
  static gemma_config huggingface_defaults() { return gemma2_2b; }

  static gemma_config sized(int width, int n_layer, int n_head, int vocab_size, int n_positions,
                            gemma_settings& s) {
    gemma_config c = gemma_family::sized(width, n_layer, n_head, vocab_size, n_positions, s);
    c.sandwiched = true;
    s.query_pre_attn_scalar = static_cast<float>(c.head_width);
    s.final_logit_soft_cap = 30.0f;
    s.windows = in_turn(n_layer, std::max(1, n_positions / 2));
    s.windows.slides.flip();
    return c;
  }
};

} // namespace transept::inline TRANSEPT_ABI
