// The shapes of StableLM (Stability AI 2023; Bellagente et al. 2024).
//
//   constexpr transept::stablelm_config mine{.n_embd = 512, .n_layer = 6, .n_head = 8};
#pragma once

#include <algorithm>
#include <span>

#include <transept/layers/positions/rotary_frequencies.hpp>
#include <transept/models/family.hpp>
#include <transept/models/stablelm/names.hpp>

namespace transept::inline TRANSEPT_ABI {

/// The shape of a StableLM.
struct stablelm_config {
  int n_embd, n_layer, n_head; ///< width of the residual stream, blocks, each one's heads of queries
  int vocab_size = 50304;      ///< tokens
  int n_positions = 4096;      ///< what it was trained for
  int n_inner = static_cast<int>(product_of(4, n_embd)); ///< intermediate_size: of gate and value each
  int head_width = static_cast<int>(even_share(n_embd, n_head)); ///< head_dim
  choice tie_word_embeddings = false; ///< the output projection is the token embedding
  int n_key_value_head = n_head;      ///< num_key_value_heads: a divisor of n_head
  choice attention_bias = false;      ///< use_qkv_bias: of queries, keys and values
  choice head_norms = false;          ///< qk_layernorm: norms of every head's queries and keys
  choice second_norm = true;          ///< the network reads a norm of its own: no use_parallel_residual

  friend constexpr bool operator==(const stablelm_config&, const stablelm_config&) = default;

  /// Of every block's attention.
  constexpr attention_extents attention() const {
    return {.width = n_embd,
            .heads = n_head,
            .key_value_heads = n_key_value_head,
            .head_width = head_width,
            .input_bias = attention_bias,
            .output_bias = false,
            .head_norms = head_norms,
            .norm_kind = head_norm_kind::layer};
  }

  /// Those beside the eight that all configs have.
  static constexpr auto own_members =
      transept::members_of(member{"n_key_value_head", &stablelm_config::n_key_value_head},
                           member{"attention_bias", &stablelm_config::attention_bias},
                           member{"head_norms", &stablelm_config::head_norms},
                           member{"second_norm", &stablelm_config::second_norm});
};

/// StableLM 3B: 2,795,443,200 parameters.
inline constexpr stablelm_config stablelm_3b{.n_embd = 2560, .n_layer = 32, .n_head = 32, .n_inner = 6912};

/// Any shape, told at run time.
inline constexpr stablelm_config any_stablelm = any_of(stablelm_3b);

/// What a StableLM is at run time besides its shape.
struct stablelm_settings {
  float layer_norm_eps = 1e-5f;                       ///< of all norms
  activation_type activation = activation_type::silu; ///< of the gate; hidden_act
  rotary_settings rotary = {};                        ///< its width, the turned part of a head, must be set
  std::optional<token_id> bos_token_id = 0;           ///< begins a text, where there is one
  std::vector<token_id> eos_token_ids = {0};          ///< a generation stops at any of these

  bool operator==(const stablelm_settings&) const = default; ///< member by member
};

template <stablelm_config Config, class Weights>
struct stablelm;

/// What files say of a StableLM.
struct stablelm_family : family_of<stablelm_config, stablelm_settings, stablelm> {
  /// Of the family, and of its shape in C++.
  static constexpr std::string_view name = "StableLM", config_name = "stablelm_config";
  static constexpr std::array<std::string_view, 1> model_types{"stablelm"}; ///< in config.json
  static constexpr std::span<const gguf_architecture> gguf = stablelm_gguf; ///< in GGUF files

  static stablelm_config huggingface_defaults() { return stablelm_3b; } ///< StableLmConfig's

  /// A new model turns a quarter of every head, in whole pairs.
  static void begin(const stablelm_config& c, stablelm_settings& s) {
    s.rotary.width = static_cast<std::size_t>(std::max(2, c.head_width / 8 * 2));
  }

  /// config.json, field by field: read, or written.
  template <class Fields>
  static void describe(Fields& f, stablelm_config& c, stablelm_settings& s) {
    f.architecture("StableLmForCausalLM");
    f.activation("hidden_act", s.activation);
    describe_sizes(f, c);
    f.shared_heads("num_key_value_heads", "num_attention_heads", c.n_head, c.n_key_value_head, 32);
    f.epsilon("layer_norm_eps", s.layer_norm_eps);
    f.choice("use_qkv_bias", c.attention_bias);
    f.choice("qk_layernorm", c.head_norms);
    bool is_parallel = !bool(c.second_norm);
    f.boolean("use_parallel_residual", is_parallel);
    c.second_norm = !is_parallel;
    f.rotary(s.rotary, c.head_width, c.n_positions,
             rotary_keys{.part = "partial_rotary_factor", .usual_part = 0.25});
    describe_vocabulary(f, c, s, 0, {0});
  }
};

} // namespace transept::inline TRANSEPT_ABI
