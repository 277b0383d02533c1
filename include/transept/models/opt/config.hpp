// The shapes of OPT (Zhang et al. 2022): the structural template parameter of `opt<config>`.
#pragma once

#include <transept/layers/block.hpp>
#include <transept/models/family.hpp>

namespace transept::inline TRANSEPT_ABI {

/// The shape of an OPT.
struct opt_config {
  int n_embd, n_layer, n_head; ///< width of the residual stream, blocks, each one's heads
  int vocab_size = 50272;      ///< tokens
  int n_positions = 2048;      ///< max_position_embeddings
  int n_inner = static_cast<int>(product_of(4, n_embd));         ///< ffn_dim
  int head_width = static_cast<int>(even_share(n_embd, n_head)); ///< head_dim
  choice tie_word_embeddings = true; ///< the output projection is the token embedding
  int token_width = n_embd;          ///< word_embed_proj_dim
  choice biases = true;              ///< enable_bias: of attention and network
  choice affine_norms = true;        ///< layer_norm_elementwise_affine: norms have a weight and a bias
  choice final_norm = true;          ///< do_layer_norm_before and not _remove_final_layer_norm

  friend constexpr bool operator==(const opt_config&, const opt_config&) = default;

  /// Of every block's attention.
  constexpr attention_extents attention() const {
    return {.width = n_embd,
            .heads = n_head,
            .head_width = head_width,
            .input_bias = biases,
            .output_bias = biases};
  }

  /// Those beside the eight that all configs have.
  static constexpr auto own_members = transept::members_of(
      member{"token_width", &opt_config::token_width}, member{"biases", &opt_config::biases},
      member{"affine_norms", &opt_config::affine_norms}, member{"final_norm", &opt_config::final_norm});
};

/// OPT-125M: 125,239,296 parameters.
inline constexpr opt_config opt_125m{.n_embd = 768, .n_layer = 12, .n_head = 12};
/// OPT-350M, the one with post-norm blocks (opt_settings::order): 331,196,416 parameters.
inline constexpr opt_config opt_350m{
    .n_embd = 1024, .n_layer = 24, .n_head = 16, .token_width = 512, .final_norm = false};

/// Any shape, told at run time.
inline constexpr opt_config any_opt = any_of(opt_125m);

/// What an OPT is at run time besides its shape. (Its norms' epsilon is always 1e-5.)
struct opt_settings {
  activation_type activation = activation_type::relu; ///< activation_function
  block_order order = block_order::pre_norm;          ///< or post_norm: do_layer_norm_before
  std::optional<token_id> bos_token_id = 2;           ///< begins a text, where there is one
  std::vector<token_id> eos_token_ids = {2};          ///< a generation stops at any of these

  bool operator==(const opt_settings&) const = default; ///< member by member
};

template <opt_config Config, class Weights>
struct opt;

/// What files say of an OPT.
struct opt_family : family_of<opt_config, opt_settings, opt> {
  /// Of the family, and of its shape in C++.
  static constexpr std::string_view name = "OPT", config_name = "opt_config";
  static constexpr std::array<std::string_view, 1> model_types{"opt"}; ///< in config.json

  static opt_config huggingface_defaults() { return opt_125m; } ///< OPTConfig's

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
    describe_vocabulary(f, c, s, 2, {2});
  }
};

} // namespace transept::inline TRANSEPT_ABI
