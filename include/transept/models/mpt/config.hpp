// The shapes of MPT (MosaicML 2023).
//
//   constexpr transept::mpt_config mine{.n_embd = 512, .n_layer = 6, .n_head = 8};
#pragma once

#include <span>

#include <transept/models/family.hpp>
#include <transept/models/mpt/names.hpp>

namespace transept::inline TRANSEPT_ABI {

/// The shape of an MPT.
struct mpt_config {
  int n_embd, n_layer, n_head;                                   ///< d_model, n_layers, n_heads
  int vocab_size = 50368;                                        ///< tokens
  int n_positions = 2048;                                        ///< max_seq_len: what it was trained for
  int n_inner = static_cast<int>(product_of(4, n_embd));         ///< always
  int head_width = static_cast<int>(even_share(n_embd, n_head)); ///< head_dim
  choice tie_word_embeddings = true; ///< the output projection is the token embedding

  friend constexpr bool operator==(const mpt_config&, const mpt_config&) = default;

  /// Of every block's attention: no biases.
  constexpr attention_extents attention() const {
    return {.width = n_embd,
            .heads = n_head,
            .head_width = head_width,
            .input_bias = false,
            .output_bias = false};
  }
};

/// MPT-7B: 6,649,286,656 parameters.
inline constexpr mpt_config mpt_7b{.n_embd = 4096, .n_layer = 32, .n_head = 32, .vocab_size = 50432};

/// Any shape, told at run time.
inline constexpr mpt_config any_mpt = any_of(mpt_7b);

/// What an MPT is at run time besides its shape.
struct mpt_settings {
  float layer_norm_epsilon = 1e-5f;                       ///< of all norms
  activation_type activation = activation_type::gelu_erf; ///< which no config.json says
  float alibi_bias_max = 8.0f;               ///< the heads' slopes are 2^(−alibi_bias_max · part of heads)
  float clip_qkv = 0.0f;                     ///< queries, keys and values are at most this; 0: no limit
  float softmax_scale = 0.0f;                ///< of the scores; 0: 1 / √head_width
  std::optional<token_id> bos_token_id = {}; ///< begins a text, where there is one
  std::vector<token_id> eos_token_ids = {};  ///< a generation stops at any of these

  bool operator==(const mpt_settings&) const = default; ///< member by member
};

template <mpt_config Config, class Weights>
struct mpt;

/// What files say of an MPT.
struct mpt_family : family_of<mpt_config, mpt_settings, mpt> {
  /// Of the family, and of its shape in C++.
  static constexpr std::string_view name = "MPT", config_name = "mpt_config";
  static constexpr std::array<std::string_view, 1> model_types{"mpt"}; ///< in config.json
  static constexpr std::span<const gguf_architecture> gguf = mpt_gguf; ///< in GGUF files

  /// MptConfig's, which is no published model's.
  static mpt_config huggingface_defaults() { return {.n_embd = 2048, .n_layer = 24, .n_head = 16}; }

  /// config.json, field by field: read, or written. The network is 4 · d_model wide whatever expansion_ratio
  /// says, as transformers has it.
  template <class Fields>
  static void describe(Fields& f, mpt_config& c, mpt_settings& s) {
    f.architecture("MptForCausalLM");
    f.count({"vocab_size"}, c.vocab_size, config_limits::vocab_size);
    f.count({"max_seq_len"}, c.n_positions, config_limits::n_positions);
    f.count({"d_model", "hidden_size"}, c.n_embd, config_limits::width);
    c.n_inner = 4 * c.n_embd;
    f.copy("expansion_ratio", 4);
    f.count({"n_layers", "num_hidden_layers"}, c.n_layer, config_limits::n_layer);
    f.count({"n_heads", "num_attention_heads"}, c.n_head, config_limits::width);
    f.head_width("d_model", c.n_embd, "n_heads", c.n_head, c.head_width);
    f.epsilon("layer_norm_epsilon", s.layer_norm_epsilon);
    f.must_be("no_bias", true, "biases are not supported");
    f.object("attn_config", [&](auto& inner) {
      inner.must_be("alibi", true, "learned positions are not supported");
      inner.must_be("prefix_lm", false, "attention is causal here");
      inner.must_be("qk_ln", false, "norms of queries and keys are not supported");
      inner.positive("alibi_bias_max", s.alibi_bias_max);
      inner.positive("clip_qkv", s.clip_qkv, /*null_is*/ 0.0f);
      inner.positive("softmax_scale", s.softmax_scale, /*null_is*/ 0.0f);
    });
    describe_vocabulary(f, c, s, std::nullopt, {});
  }
};

} // namespace transept::inline TRANSEPT_ABI
