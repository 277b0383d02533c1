// What the type of every model begins with: its config, its settings, its memory, and the parts that are
// built alike in all.
#pragma once

#include <array>
#include <cstddef>
#include <type_traits>
#include <utility>
#include <vector>

#include <transept/layers/embedding.hpp>
#include <transept/models/family.hpp>
#include <transept/tensor/weights.hpp>

namespace transept::inline TRANSEPT_ABI {

/// An output matrix of its own, or, where it is tied to the embedding, none.
template <choice Tied, extent Vocabulary, extent Width, class Weights>
using untied_output = embedding<Tied == choice(true)    ? 0
                                : Tied == choice(false) ? Vocabulary
                                                        : dyn,
                                Width, matrix_use::table, Weights>;

/// `Depth` blocks, which may be `dyn`.
template <class Block, extent Depth>
using block_list = std::conditional_t<Depth == dyn, std::vector<Block>,
                                      std::array<Block, static_cast<std::size_t>(Depth == dyn ? 1 : Depth)>>;

/// All equal to `block`, `depth` of them.
template <class Block, extent Depth>
block_list<Block, Depth> repeated(const Block& block, [[maybe_unused]] extent depth) {
  block_list<Block, Depth> blocks;
  if constexpr (Depth == dyn)
    blocks.assign(static_cast<std::size_t>(depth), block);
  else
    blocks.fill(block);
  return blocks;
}

/// The first part of a model's type, of any kind.
template <class Family, typename Family::config Config, class Weights>
struct model_base {
  static_assert(Config.n_embd > 0 || Config.n_embd == dyn, "a model's n_embd must be positive");
  static_assert(Config.n_layer > 0 || Config.n_layer == dyn, "a model's n_layer must be positive");
  static_assert(Config.n_head > 0 || Config.n_head == dyn, "a model's n_head must be positive");
  static_assert(Config.head_width > 0 || Config.head_width == dyn,
                "a model's n_embd must be divisible by n_head unless head_width is given");
  static_assert(Config.n_inner > 0 || Config.n_inner == dyn, "a model's n_inner must be positive");
  static_assert(Config.vocab_size > 0 || Config.vocab_size == dyn,
                "a model's vocab_size must be positive, or transept::dyn");
  static_assert(Config.n_positions > 0 || Config.n_positions == dyn,
                "a model's n_positions must be positive, or transept::dyn");

  using family = Family; ///< what files say of it, and how they are read (model_family)
  static constexpr typename Family::config static_config = Config; ///< what the type knows; the rest is dyn
  static constexpr extent width = Config.n_embd;                   ///< of the residual stream
  /// The same model of other storage: gpt2<…>::stored_as<gradient_weights> is its gradient.
  template <class Other>
  using stored_as = typename Family::template model<Config, Other>;
  using model = stored_as<Weights>; ///< the type that this is a part of

  typename Family::config config = Config; ///< all known
  typename Family::settings settings;      ///< the numbers that change no type
  weight_owner memory;                     ///< keeps what the parameters' views point into
};

/// A model of this shape and these settings, its views with their extents but no data yet. Throws
/// config_error for settings that contradict themselves.
template <class Model>
Model shaped_model(const typename Model::family::config& config, typename Model::family::settings settings) {
  Model model = Model::shaped(config);
  model.settings = std::move(settings);
  if constexpr (requires { model.rotary; })
    model.rotary = std::remove_cvref_t<decltype(model.rotary)>(model.settings.rotary);
  if constexpr (requires { model.prepare(); }) model.prepare();
  return model;
}

} // namespace transept::inline TRANSEPT_ABI
