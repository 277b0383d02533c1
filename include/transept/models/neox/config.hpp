// The shapes of GPT-NeoX (Black et al. 2022) and Pythia (Biderman et al. 2023).
//
//   constexpr transept::neox_config mine{.n_embd = 512, .n_layer = 6, .n_head = 8, .vocab_size = 50304};
#pragma once

#include <algorithm>
#include <span>

#include <transept/layers/positions/rotary_frequencies.hpp>
#include <transept/models/family.hpp>
#include <transept/models/neox/names.hpp>

namespace transept::inline TRANSEPT_ABI {

/// The shape of a GPT-NeoX.
struct neox_config {
  int n_embd, n_layer, n_head; ///< width of the residual stream, blocks, each one's heads
  int vocab_size = 50432;      ///< tokens
  int n_positions = 2048;      ///< what it was trained for
  int n_inner = static_cast<int>(product_of(4, n_embd));         ///< intermediate_size
  int head_width = static_cast<int>(even_share(n_embd, n_head)); ///< head_dim
  choice tie_word_embeddings = false; ///< the output projection is the token embedding
  choice attention_bias = true;       ///< of queries, keys, values and attention's output

  friend constexpr bool operator==(const neox_config&, const neox_config&) = default;

  /// Of every block's attention.
  constexpr attention_extents attention() const {
    return {.width = n_embd,
            .heads = n_head,
            .head_width = head_width,
            .input_bias = attention_bias,
            .output_bias = attention_bias};
  }

  /// The one beside the eight that all configs have.
  static constexpr auto own_members =
      transept::members_of(member{"attention_bias", &neox_config::attention_bias});
};

/// GPT-NeoX-20B: 20,554,567,680 parameters.
inline constexpr neox_config neox_20b{.n_embd = 6144, .n_layer = 44, .n_head = 64};
/// Pythia-160M: 162,322,944 parameters.
inline constexpr neox_config pythia_160m{.n_embd = 768, .n_layer = 12, .n_head = 12, .vocab_size = 50304};

/// Any shape, told at run time.
inline constexpr neox_config any_neox = any_of(neox_20b);

/// What a GPT-NeoX is at run time besides its shape.
struct neox_settings {
  float layer_norm_eps = 1e-5f;                           ///< of all norms
  activation_type activation = activation_type::gelu_erf; ///< hidden_act
  bool use_parallel_residual = true;         ///< attention and network read the same x; else pre-norm blocks
  rotary_settings rotary = {};               ///< its width, the turned part of a head, must be set
  std::optional<token_id> bos_token_id = 0;  ///< begins a text, where there is one
  std::vector<token_id> eos_token_ids = {2}; ///< a generation stops at any of these

  bool operator==(const neox_settings&) const = default; ///< member by member
};

template <neox_config Config, class Weights>
struct neox;

/// What files say of a GPT-NeoX.
struct neox_family : family_of<neox_config, neox_settings, neox> {
  /// Of the family, and of its shape in C++.
  static constexpr std::string_view name = "GPT-NeoX", config_name = "neox_config";
  static constexpr std::array<std::string_view, 1> model_types{"gpt_neox"}; ///< in config.json
  static constexpr std::span<const gguf_architecture> gguf = neox_gguf;     ///< in GGUF files

  static neox_config huggingface_defaults() { return neox_20b; } ///< GPTNeoXConfig's

  /// A new model turns a quarter of every head, in whole pairs.
  static void begin(const neox_config& c, neox_settings& s) {
    s.rotary.width = static_cast<std::size_t>(std::max(2, c.head_width / 8 * 2));
  }

  /// config.json, field by field: read, or written.
  template <class Fields>
  static void describe(Fields& f, neox_config& c, neox_settings& s) {
    f.architecture("GPTNeoXForCausalLM");
    f.activation("hidden_act", s.activation);
    describe_sizes(f, c);
    f.epsilon("layer_norm_eps", s.layer_norm_eps);
    f.boolean("use_parallel_residual", s.use_parallel_residual);
    f.choice("attention_bias", c.attention_bias);
    f.rotary(s.rotary, c.head_width, c.n_positions,
             rotary_keys{.base = "rotary_emb_base", .part = "rotary_pct", .usual_part = 0.25});
    describe_vocabulary(f, c, s, 0, {2});
  }
};

} // namespace transept::inline TRANSEPT_ABI
