// The shapes of Phi 1, 1.5 and 2 (Gunasekar et al. 2023, Li et al. 2023). Phi-3 is one of LLaMA's line.
//
//   constexpr transept::phi_config mine{.n_embd = 512, .n_layer = 6, .n_head = 8};
#pragma once

#include <algorithm>
#include <span>

#include <transept/layers/positions/rotary_frequencies.hpp>
#include <transept/models/family.hpp>
#include <transept/models/phi/names.hpp>

namespace transept::inline TRANSEPT_ABI {

/// The shape of a Phi.
struct phi_config {
  int n_embd, n_layer, n_head; ///< width of the residual stream, blocks, each one's heads of queries
  int vocab_size = 51200;      ///< tokens
  int n_positions = 2048;      ///< what it was trained for
  int n_inner = static_cast<int>(product_of(4, n_embd));         ///< intermediate_size
  int head_width = static_cast<int>(even_share(n_embd, n_head)); ///< head_dim
  choice tie_word_embeddings = false; ///< the output projection is the token embedding
  int n_key_value_head = n_head;      ///< num_key_value_heads: a divisor of n_head

  friend constexpr bool operator==(const phi_config&, const phi_config&) = default;

  /// Of every block's attention.
  constexpr attention_extents attention() const {
    return {.width = n_embd, .heads = n_head, .key_value_heads = n_key_value_head, .head_width = head_width};
  }

  /// The one beside the eight that all configs have.
  static constexpr auto own_members =
      transept::members_of(member{"n_key_value_head", &phi_config::n_key_value_head});
};

/// Phi-1.5: 1,418,270,720 parameters.
inline constexpr phi_config phi_1_5{.n_embd = 2048, .n_layer = 24, .n_head = 32};
/// Phi-2: 2,779,683,840 parameters.
inline constexpr phi_config phi_2{.n_embd = 2560, .n_layer = 32, .n_head = 32};

/// Any shape, told at run time.
inline constexpr phi_config any_phi = any_of(phi_2);

/// What a Phi is at run time besides its shape.
struct phi_settings {
  float layer_norm_eps = 1e-5f;                            ///< of all norms
  activation_type activation = activation_type::gelu_tanh; ///< hidden_act
  rotary_settings rotary = {};                   ///< its width, the turned part of a head, must be set
  std::optional<token_id> bos_token_id = 50256;  ///< begins a text, where there is one
  std::vector<token_id> eos_token_ids = {50256}; ///< a generation stops at any of these

  bool operator==(const phi_settings&) const = default; ///< member by member
};

template <phi_config Config, class Weights>
struct phi;

/// What files say of a Phi.
struct phi_family : family_of<phi_config, phi_settings, phi> {
  /// Of the family, and of its shape in C++.
  static constexpr std::string_view name = "Phi", config_name = "phi_config";
  static constexpr std::array<std::string_view, 1> model_types{"phi"}; ///< in config.json
  static constexpr std::span<const gguf_architecture> gguf = phi_gguf; ///< in GGUF files

  static phi_config huggingface_defaults() { return phi_1_5; } ///< PhiConfig's

  /// A new model turns half of every head, in whole pairs.
  static void begin(const phi_config& c, phi_settings& s) {
    s.rotary.width = static_cast<std::size_t>(std::max(2, c.head_width / 4 * 2));
  }

  /// config.json, field by field: read, or written.
  template <class Fields>
  static void describe(Fields& f, phi_config& c, phi_settings& s) {
    f.architecture("PhiForCausalLM");
    f.must_be("qk_layernorm", false, "norms of queries and keys are not supported");
    f.activation("hidden_act", s.activation);
    describe_sizes(f, c);
    f.shared_heads("num_key_value_heads", "num_attention_heads", c.n_head, c.n_key_value_head);
    f.epsilon("layer_norm_eps", s.layer_norm_eps);
    f.rotary(s.rotary, c.head_width, c.n_positions,
             rotary_keys{.part = "partial_rotary_factor", .usual_part = 0.5});
    describe_vocabulary(f, c, s, 1, {2});
  }
};

} // namespace transept::inline TRANSEPT_ABI
