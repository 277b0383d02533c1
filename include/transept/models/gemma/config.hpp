// The shapes of Gemma 1 and 2 (Gemma Team 2024).
#pragma once

#include <algorithm>

#include <cmath>
#include <span>

#include <transept/layers/positions/rotary_frequencies.hpp>
#include <transept/models/family.hpp>
#include <transept/models/gemma/names.hpp>

namespace transept::inline TRANSEPT_ABI {

/// The shape of a Gemma 1 or 2.
struct gemma_config {
  int n_embd, n_layer, n_head; ///< width of the residual stream, blocks, each one's heads of queries
  int vocab_size = 256000;     ///< tokens
  int n_positions = 8192;      ///< what it was trained for
  int n_inner = static_cast<int>(product_of(8, n_embd)); ///< intermediate_size: of gate and value each
  int head_width = 256;                                  ///< head_dim
  choice tie_word_embeddings = true;                     ///< the output projection is the token embedding
  int n_key_value_head = n_head;                         ///< num_key_value_heads: a divisor of n_head
  choice attention_bias = false;                         ///< of queries, keys, values and attention's output
  bool sandwiched = false; ///< norms of what attention and network add, too: Gemma 2

  friend constexpr bool operator==(const gemma_config&, const gemma_config&) = default;

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
  static constexpr auto own_members =
      transept::members_of(member{"n_key_value_head", &gemma_config::n_key_value_head},
                           member{"attention_bias", &gemma_config::attention_bias},
                           member{"sandwiched", &gemma_config::sandwiched});
};

/// Gemma 7B: 8,537,680,896 parameters.
inline constexpr gemma_config gemma_7b{.n_embd = 3072, .n_layer = 28, .n_head = 16};
/// Gemma 2 2B: 2,614,341,888 parameters.
inline constexpr gemma_config gemma2_2b{
    .n_embd = 2304, .n_layer = 26, .n_head = 8, .n_inner = 9216, .n_key_value_head = 4, .sandwiched = true};

inline constexpr gemma_config any_gemma = any_of(gemma_7b), ///< any shape of Gemma 1, told at run time
    any_gemma2 = any_of(gemma2_2b);                         ///< any shape of Gemma 2

/// What a Gemma is at run time besides its shape.
struct gemma_settings {
  float rms_norm_eps = 1e-6f;                              ///< of all norms
  activation_type activation = activation_type::gelu_tanh; ///< of the gate; hidden_activation
  rotary_settings rotary = {};                             ///< its width, that of a head, must be set
  // Gemma 2.
  /// Scores are divided by its root; Gemma 1: by that of the head width.
  float query_pre_attn_scalar = 256.0f;
  float attn_logit_soft_cap = 50.0f;         ///< of scores; 0: none
  float final_logit_soft_cap = 0.0f;         ///< of logits; 0: none
  layer_windows windows = {};                ///< every second block slides, from the first on
  std::optional<token_id> bos_token_id = 2;  ///< begins a text, where there is one
  std::vector<token_id> eos_token_ids = {1}; ///< a generation stops at any of these

  bool operator==(const gemma_settings&) const = default; ///< member by member
};

template <gemma_config Config, class Weights>
struct gemma;

/// What files say of a Gemma 1.
struct gemma_family : family_of<gemma_config, gemma_settings, gemma> {
  /// Of the family, and of its shape in C++.
  static constexpr std::string_view name = "Gemma", config_name = "gemma_config";
  static constexpr std::array<std::string_view, 1> model_types{"gemma"}; ///< in config.json
  static constexpr std::span<const gguf_architecture> gguf = gemma_gguf; ///< in GGUF files

  static gemma_config huggingface_defaults() { return gemma_7b; } ///< GemmaConfig's

  /// A new model's network is 4 n_embd wide, its heads share n_embd.
  static void begin(gemma_config& c, gemma_settings&) {
    c.n_inner = 4 * c.n_embd;
    c.head_width = c.n_embd / c.n_head;
  }

  /// config.json, field by field: read, or written.
  template <class Fields>
  static void describe(Fields& f, gemma_config& c, gemma_settings& s) {
    f.architecture(c.sandwiched ? "Gemma2ForCausalLM" : "GemmaForCausalLM");
    f.must_be("use_bidirectional_attention", false, "attention is causal here");
    if (!c.sandwiched) f.activation("hidden_act", s.activation);
    f.activation("hidden_activation", s.activation, /*null_is_absent*/ true);
    describe_sizes(f, c, 256);
    f.shared_heads("num_key_value_heads", "num_attention_heads", c.n_head, c.n_key_value_head,
                   c.sandwiched ? 4 : 16);
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
    describe_vocabulary(f, c, s, 2, {1});
  }
};

/// What files say of a Gemma 2.
struct gemma2_family : gemma_family {
  static constexpr std::string_view name = "Gemma 2";                     ///< of the family
  static constexpr std::array<std::string_view, 1> model_types{"gemma2"}; ///< in config.json
  static constexpr std::span<const gguf_architecture> gguf = gemma2_gguf; ///< in GGUF files
  static constexpr gemma_config any = any_gemma2;                         ///< any shape, told at run time

  static gemma_config huggingface_defaults() { return gemma2_2b; } ///< Gemma2Config's

  /// As Gemma 1's; scores are divided by the root of the head width, logits capped at 30, and every second
  /// block, from the first on, sees half as many positions as there are.
  static void begin(gemma_config& c, gemma_settings& s) {
    gemma_family::begin(c, s);
    c.sandwiched = true;
    s.query_pre_attn_scalar = static_cast<float>(c.head_width);
    s.final_logit_soft_cap = 30.0f;
    s.windows = in_turn(c.n_layer, std::max(1, c.n_positions / 2));
    s.windows.slides.flip();
  }
};

} // namespace transept::inline TRANSEPT_ABI
