// The shapes of OPT (Zhang et al. 2022): the structural template parameter of `opt<config>`.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include <transept/core/activation.hpp>
#include <transept/core/types.hpp>
#include <transept/layers/attention.hpp>
#include <transept/layers/block.hpp>
#include <transept/models/family.hpp>

namespace transept::inline TRANSEPT_ABI {

struct opt_config {
  int n_embd;  ///< hidden_size
  int n_layer; ///< num_hidden_layers
  int n_head;  ///< num_attention_heads
  int vocab_size = 50272;
  int n_positions = 2048;                                ///< max_position_embeddings
  int n_inner = static_cast<int>(product_of(4, n_embd)); ///< ffn_dim
  int token_width = n_embd;                              ///< word_embed_proj_dim
  int head_width = static_cast<int>(even_share(n_embd, n_head));
  choice biases = true;       ///< enable_bias: of attention and network
  choice affine_norms = true; ///< layer_norm_elementwise_affine: norms have a weight and a bias
  choice final_norm = true;   ///< do_layer_norm_before and not _remove_final_layer_norm
  choice tie_word_embeddings = true;

  friend constexpr bool operator==(const opt_config&, const opt_config&) = default;

  constexpr attention_extents attention() const {
    return {.width = n_embd,
            .heads = n_head,
            .head_width = head_width,
            .input_bias = biases,
            .output_bias = biases};
  }

  /// Calls f(name, pointer to member) for each member.
  template <class F>
  static constexpr void for_each_member(F&& f) {
    f("n_embd", &opt_config::n_embd);
    f("n_layer", &opt_config::n_layer);
    f("n_head", &opt_config::n_head);
    f("vocab_size", &opt_config::vocab_size);
    f("n_positions", &opt_config::n_positions);
    f("n_inner", &opt_config::n_inner);
    f("token_width", &opt_config::token_width);
    f("head_width", &opt_config::head_width);
    f("biases", &opt_config::biases);
    f("affine_norms", &opt_config::affine_norms);
    f("final_norm", &opt_config::final_norm);
    f("tie_word_embeddings", &opt_config::tie_word_embeddings);
  }
};

inline constexpr opt_config opt_125m{.n_embd = 768, .n_layer = 12, .n_head = 12}; // 125,239,296 parameters
/// The one with post-norm blocks (opt_settings::order): 331,196,416.
inline constexpr opt_config opt_350m{
    .n_embd = 1024, .n_layer = 24, .n_head = 16, .token_width = 512, .final_norm = false};

/// Any shape, told at run time.
inline constexpr opt_config any_opt = any_of(opt_125m);

struct opt_settings {
  activation_type activation = activation_type::relu;
  block_order order = block_order::pre_norm;
  std::optional<token_id> bos_token_id = 2;
  std::vector<token_id> eos_token_ids = {2};

  bool operator==(const opt_settings&) const = default;
};

template <opt_config Config, class Weights>
struct opt;

struct opt_family {
  using config = opt_config;
  using settings = opt_settings;
  template <opt_config Config, class Weights>
  using model = opt<Config, Weights>;
  static constexpr std::string_view name = "OPT", config_name = "opt_config";
  static constexpr std::array<std::string_view, 1> model_types{"opt"};
  static constexpr opt_config any = any_opt;
  static constexpr std::size_t members_without_default = 3;

  static constexpr opt_config with_defaults(const opt_config& c) {
    return {.n_embd = c.n_embd, .n_layer = c.n_layer, .n_head = c.n_head};
  }
  static opt_config huggingface_defaults() { return opt_125m; }

  /// A new model's shape, from what a person chooses.
  static opt_config sized(int width, int n_layer, int n_head, int vocab_size, int n_positions,
                          const opt_settings&) {
    return {.n_embd = width,
            .n_layer = n_layer,
            .n_head = n_head,
            .vocab_size = vocab_size,
            .n_positions = n_positions};
  }

  /// config.json, field by field: read, or written.
  template <class Fields>
  static void describe(Fields& f, opt_config& c, opt_settings& s) {
    f.architecture("OPTForCausalLM");
    f.activation("activation_function", s.activation);
    f.count({"vocab_size"}, c.vocab_size, config_limits::vocab_size);
    f.count({"max_position_embeddings"}, c.n_positions, config_limits::n_positions);
    f.count({"hidden_size"}, c.n_embd, config_limits::width);
    f.count_or_null("word_embed_proj_dim", c.token_width, c.n_embd, config_limits::width);
    f.count({"ffn_dim"}, c.n_inner, config_limits::n_inner);
    f.count({"num_hidden_layers"}, c.n_layer, config_limits::n_layer);
    f.count({"num_attention_heads"}, c.n_head, config_limits::width);
    f.head_width("hidden_size", c.n_embd, "num_attention_heads", c.n_head, c.head_width);
    bool is_pre_norm = s.order == block_order::pre_norm, is_removed = is_pre_norm && !c.final_norm;
    f.boolean("do_layer_norm_before", is_pre_norm);
    f.boolean("_remove_final_layer_norm", is_removed);
    s.order = is_pre_norm ? block_order::pre_norm : block_order::post_norm;
    c.final_norm = is_pre_norm && !is_removed;
    f.choice("enable_bias", c.biases);
    f.choice("layer_norm_elementwise_affine", c.affine_norms);
    f.token("bos_token_id", s.bos_token_id, 2, c.vocab_size);
    f.tokens("eos_token_id", s.eos_token_ids, {2}, c.vocab_size);
    f.choice("tie_word_embeddings", c.tie_word_embeddings);
  }
};

} // namespace transept::inline TRANSEPT_ABI
