// What the type of every decoder of the family begins with: its shape, its settings, its memory, and how they
// follow from the members that it declares.
//
//   template <neox_config Config, class Weights = inference_weights>
//   struct neox : decoder_base<neox_family, Config, Weights> {
//     static constexpr model_names names = neox_names;      // what files call its parameters
//     using block = …;                                      // layers/block.hpp
//     embedding<…> tokens;  block_list<block, Config.n_layer> blocks;  layer_norm<…> norm;  …
//     rotary_embedding rotary;                              // where positions are rotated
//     static constexpr auto members = …;                    // those with parameters
//     norm_settings norms() const;
//   };
#pragma once

#include <cstddef>
#include <type_traits>

#include <transept/core/types.hpp>
#include <transept/layers/block.hpp>
#include <transept/layers/embedding.hpp>
#include <transept/layers/position_terms.hpp>
#include <transept/models/model_base.hpp>
#include <transept/tensor/weights.hpp>

namespace transept::inline TRANSEPT_ABI {

/// The run-time sizes of a decoder: what a session makes its cache and workspace from.
struct decoder_shape {
  std::size_t n_layer, n_head, head_width; ///< blocks, heads of queries in each, width of a head
  std::size_t n_embd, n_inner;             ///< widths of the residual stream and inside of a network
  std::size_t vocab_size, n_positions; ///< tokens, and the longest context: of the training, or of the table

  std::size_t n_key_value_head = n_head; ///< heads of keys and values, a divisor of n_head
  std::size_t n_projected = n_inner;     ///< what a row of the network's first product has: more with a gate
  std::size_t n_output = n_embd;         ///< width of the last hidden state
  /// Whether positions end with n_positions, as those of a table do; functions of the position go on.
  bool is_bounded = true;
  /// Scratch memory beyond a pre-norm block's: floats for each row of a pass, and for each position of a
  /// text.
  std::size_t scratch_per_row = 0, scratch_per_position = 0;

  /// The most positions that a text can have.
  std::size_t most_positions() const { return is_bounded ? n_positions : std::size_t{1} << 30; }

  friend bool operator==(const decoder_shape&, const decoder_shape&) = default;
};

/// An untied_output with a bias of the logits [Vocabulary], which is there in any case (GPT-J).
template <choice Tied, extent Vocabulary, extent Width, class Weights>
struct biased_output {
  decltype(untied_output<Tied, Vocabulary, Width, Weights>::weight) weight; ///< without rows where it is tied
  typename Weights::template vector<Vocabulary> bias;                       ///< of the logits

  /// For the walk over parameters.
  static constexpr auto members =
      members_of(member{"weight", &biased_output::weight}, member{"bias", &biased_output::bias});
  /// Numbers in its parameters; those of a `dyn` extent count as 0.
  static constexpr std::size_t parameter_count =
      untied_output<Tied, Vocabulary, Width, Weights>::parameter_count + static_count(Vocabulary);

  /// With its extents, and no data yet.
  static biased_output shaped(extent rows, extent width, extent vocabulary) {
    return {decltype(weight)::shaped(rows, width), decltype(bias)::shaped(vocabulary)};
  }
};

/// The second layer norm of a block that may be without it.
template <choice There, extent Width, class Weights>
using optional_layer_norm = std::conditional_t<There == choice(false), rms_norm<0, Weights>,
                                               layer_norm<extent_if(There, Width), true, true, Weights>>;

/// A model of this shape: every part that it has gets its extents, and no data yet.
template <class Model>
Model assembled(const typename Model::family::config& c) {
  using block = typename Model::block;
  Model model;
  model.config = c;
  model.tokens = decltype(model.tokens)::shaped(c.vocab_size, c.n_embd);
  if constexpr (requires { model.tokens_norm; })
    model.tokens_norm = decltype(model.tokens_norm)::shaped(c.n_embd);
  if constexpr (requires { model.positions; })
    model.positions = decltype(model.positions)::shaped(c.n_positions, c.n_embd);
  block one = [&] {
    if constexpr (requires { c.mlp_bias; })
      return block::shaped(c.n_embd, c.attention(), c.n_inner, c.mlp_bias);
    else
      return block::shaped(c.n_embd, c.attention(), c.n_inner);
  }();
  if constexpr (requires { c.second_norm; })
    if (!c.second_norm) one.norm_2 = decltype(one.norm_2)::shaped(0);
  model.blocks = repeated<block, Model::static_config.n_layer>(one, c.n_layer);
  if constexpr (requires { model.norm; }) model.norm = decltype(model.norm)::shaped(c.n_embd);
  const extent outputs = c.tie_word_embeddings ? 0 : c.vocab_size;
  if constexpr (requires { model.output.bias; })
    model.output = decltype(model.output)::shaped(outputs, c.n_embd, c.vocab_size);
  else
    model.output = decltype(model.output)::shaped(outputs, c.n_embd);
  return model;
}

/// What a session must hold for a model of the usual parts.
template <class Model>
decoder_shape shape_of(const Model& model) {
  const auto& c = model.config;
  const auto size = [](int n) { return static_cast<std::size_t>(n); };
  using network = decltype(Model::block::network);
  using output_norm = decltype(Model::block::network_norm);
  decoder_shape shape{.n_layer = size(c.n_layer),
                      .n_head = size(c.n_head),
                      .head_width = size(c.head_width),
                      .n_embd = size(c.n_embd),
                      .n_inner = size(c.n_inner),
                      .vocab_size = size(c.vocab_size),
                      .n_positions = size(c.n_positions),
                      .n_projected = network::projections * size(c.n_inner)};
  if constexpr (requires { c.n_key_value_head; }) shape.n_key_value_head = size(c.n_key_value_head);
  shape.is_bounded = requires { model.positions; };
  const bool is_parallel = settings_of_block(model, 0, position_terms{}).order == block_order::parallel;
  if (is_parallel || !output_norm::never_there) shape.scratch_per_row = shape.n_embd;
  if constexpr (requires { model.rotary; }) shape.scratch_per_row += model.rotary.width();
  if constexpr (requires { model.alibi; }) shape.scratch_per_position = shape.n_head;
  if constexpr (Model::static_config.attention().norm_kind == head_norm_kind::layer)
    shape.scratch_per_row += shape.head_width;
  return shape;
}

/// The first part of a model's type. The model itself declares (this file's first lines)
/// - `names`: what files call its parameters (tensor/names.hpp)
/// - `block`, the type of each of `blocks`
/// - `tokens` and `output`, both [vocab_size, width]; the output has no rows where it is tied to the tokens
/// - where it has them: `tokens_norm`, of the embeddings; `positions` [n_positions, width], whose row
///   `first_position` is that of position 0 (else the first); `norm`, of the last hidden state; `rotary`,
///   which shaped_model makes of the settings' `rotary`; `alibi`, every head's slope
/// - `members`: its parts that have parameters, in the order of the walk, what comes before the blocks first
/// - `norms()`: epsilon and weight offset of all its norms
/// - where it needs them: `prepare()`, which shaped_model calls when config and settings are known;
///   `file_names()`, where `names` depend on these;
///   `embedding_scale()`, which the tokens' embeddings are multiplied by; `output_width`, of a last hidden
///   state that has another width; a `shaped` or a `shape` of its own
///
/// and beside it `settings_of_block` (block_decoder).
template <class Family, typename Family::config Config, class Weights>
struct decoder_base : model_base<Family, Config, Weights> {
  using typename model_base<Family, Config, Weights>::model;

  /// A model whose views have their extents, but no data yet: what loading and initialising begin with.
  static model shaped(const typename Family::config& c = Config) { return assembled<model>(c); }

  /// What a session must hold for this model.
  decoder_shape shape() const { return shape_of(static_cast<const model&>(*this)); }
};

} // namespace transept::inline TRANSEPT_ABI
