// What the configs of all models share: limits, windows of layers, the members of a shape.
//
// A family is a struct that names its parts (neox/config.hpp): its config, its settings, its model, what
// config.json calls it, and `describe`, the list of config.json's fields. What reads and writes files is
// written against it (io/model_config.hpp, io/load_model.hpp), so that no file format knows a model.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <transept/core/activation.hpp>
#include <transept/core/types.hpp>
#include <transept/kernels/visibility.hpp>
#include <transept/layers/attention.hpp>
#include <transept/models/gguf_architecture.hpp>
#include <transept/tensor/parameters.hpp>

namespace transept::inline TRANSEPT_ABI {

struct inference_weights;

/// The largest counts accepted. They are far above any published model and small enough that no product of
/// two of them overflows 64 bits, nor n_head · head_width · 3 an int.
struct config_limits {
  static constexpr int width = 1 << 20;       ///< n_embd, head_width, n_head · head_width
  static constexpr int n_inner = 1 << 24;     ///< width of a feed-forward network
  static constexpr int n_layer = 1 << 14;     ///< blocks
  static constexpr int vocab_size = 1 << 24;  ///< tokens
  static constexpr int n_positions = 1 << 24; ///< longest context
  static constexpr int n_labels = 1 << 20;    ///< outputs of a classifier
};

/// Which blocks see only the `window` positions up to their own; the others see all before them.
struct layer_windows {
  int window = 0;           ///< positions, a query's own among them; 0 only where no block slides
  std::vector<bool> slides; ///< of each block; empty: none

  /// Whether any block slides.
  bool any_slides() const { return std::ranges::find(slides, true) != slides.end(); }

  bool operator==(const layer_windows&) const = default; ///< member by member
};

/// Every second block slides, from the second on (GPT-3: dense and banded layers in turn).
inline layer_windows in_turn(int n_layer, int window) {
  layer_windows windows{window, std::vector<bool>(static_cast<std::size_t>(n_layer))};
  for (std::size_t i = 1; i < windows.slides.size(); i += 2) windows.slides[i] = true;
  return windows;
}

/// Every block slides.
inline layer_windows in_all(int n_layer, int window) {
  return {window, std::vector<bool>(static_cast<std::size_t>(n_layer), true)};
}

/// What the queries of block `layer` see.
inline visibility visibility_of(const layer_windows& windows, std::size_t layer) {
  return layer < windows.slides.size() && windows.slides[layer]
             ? sliding_window(static_cast<std::size_t>(windows.window))
             : causal;
}

/// What a family calls the base and the turned part of a head outside of rope_parameters.
struct rotary_keys {
  std::string_view base = "rope_theta"; ///< the key of rotary_settings::base
  std::string_view part = {};           ///< none: whole heads are turned
  double usual_part = 1.0;              ///< the part where config.json says nothing
};

// ---- A config: what changes a model's type ---------------------------------------------------------------

namespace detail {

/// Stands for a value of any type, in questions that are never evaluated.
struct any_value {
  template <class T>
  constexpr operator T() const;
};

/// Whether Config{v, v, …} can be written with so many values: not with more than it has members.
template <class Config, std::size_t... I>
constexpr bool takes_values(std::index_sequence<I...>) {
  return requires { Config{(static_cast<void>(I), any_value{})...}; };
}

} // namespace detail

/// Calls f(name, pointer to member) for each member of a config, in order. Every decoder's begins with these
/// eight: n_embd, the residual stream's width (hidden_size in config.json); n_layer blocks of n_head heads of
/// head_width; vocab_size; n_positions (max_position_embeddings); n_inner, the network's width
/// (intermediate_size); tie_word_embeddings, the output is the token embedding. What a family has beside them
/// follows, and is listed as `own_members`.
template <class Config, class F>
constexpr void for_each_member(F&& f) {
  f("n_embd", &Config::n_embd);
  f("n_layer", &Config::n_layer);
  f("n_head", &Config::n_head);
  f("vocab_size", &Config::vocab_size);
  f("n_positions", &Config::n_positions);
  f("n_inner", &Config::n_inner);
  f("head_width", &Config::head_width);
  f("tie_word_embeddings", &Config::tie_word_embeddings);
  constexpr std::size_t common = 8;
  constexpr std::size_t own = [] {
    if constexpr (requires { Config::own_members; })
      return Config::own_members.size;
    else
      return std::size_t{0};
  }();
  static_assert(!detail::takes_values<Config>(std::make_index_sequence<common + own + 1>{}),
                "a config must list every member beside the eight that all have: static constexpr auto "
                "own_members = transept::members_of(transept::member{\"window\", &my_config::window}, ...)");
  if constexpr (own > 0) [&]<std::size_t... I>(std::index_sequence<I...>) {
      (f(detail::member_at<I>(Config::own_members).name, detail::member_at<I>(Config::own_members).pointer),
       ...);
    }
  (std::make_index_sequence<own>{});
}

/// The same shape with every number and choice `dyn`, told at run time.
template <class Config>
constexpr Config any_of(Config config) {
  for_each_member<Config>([&](std::string_view, auto pointer) {
    auto& value = config.*pointer;
    if constexpr (std::is_same_v<decltype(value), int&>) value = static_cast<int>(dyn);
    if constexpr (std::is_same_v<decltype(value), choice&>) value = choice(dyn);
  });
  return config;
}

/// Whether every number and choice of a shape is told.
template <class Config>
constexpr bool is_known(Config config) {
  bool known = true;
  for_each_member<Config>([&](std::string_view, auto pointer) {
    const auto& value = config.*pointer;
    if constexpr (std::is_same_v<decltype(value), const int&>) known = known && value != dyn;
    if constexpr (std::is_same_v<decltype(value), const choice&>) known = known && value != choice(dyn);
  });
  return known;
}

// ---- A family --------------------------------------------------------------------------------------------

/// What families have alike: struct neox_family : family_of<neox_config, neox_settings, neox> { … };
template <class Config, class Settings, template <Config, class> class Model>
struct family_of {
  using config = Config; ///< what changes a model's type
  /// What changes no type, on top of what all have: `bos_token_id` and `eos_token_ids`; `rotary` where
  /// positions are rotated; `model_type` where the family has several.
  using settings = Settings;
  /// The model of a shape: its parameters (inference_weights), or what has one number for each of them
  /// (gradient_weights).
  template <Config Shape, class Weights>
  using model = Model<Shape, Weights>;

  /// Any shape, told at run time.
  static constexpr Config any = any_of(Config{.n_embd = 1, .n_layer = 1, .n_head = 1});
};

/// What files say of models of one kind, and what a new one has. A family is family_of its config, its
/// settings and its model, and has
/// - `name`: what people call it, "GPT-NeoX"
/// - `config_name`: the name of its config in C++, that of its model's template and `_config`
/// - `model_types`: what config.json may call it; the first where a config.json names none
/// - `huggingface_defaults()`: the shape that transformers' configuration class has where nothing is said
/// - `describe(fields, config, settings)`: config.json field by field. `fields` is a config_reader
///   (Fields::reading), which sets what the file has and leaves the rest, or a config_writer, which writes
///   all. Both begin with settings that know their `model_type`, the reader with huggingface_defaults()
/// - `begin(config, settings)`, where it needs one: what else a new model has (new_shape)
/// - `heed_tensors(config, settings, naming, has)`, where it needs one: what the files' tensors say beside
///   config.json; has(name) tells whether there is one
/// - where llama.cpp knows the family: `gguf`, its architectures in GGUF files (gguf_architecture.hpp)
template <class Family>
concept model_family = requires {
  Family::name;
  Family::model_types;
  { Family::any } -> std::convertible_to<typename Family::config>;
  { Family::huggingface_defaults() } -> std::same_as<typename Family::config>;
  typename Family::settings;
};

/// A family's model whose shape is told at run time: one type for every folder.
template <model_family Family>
using any_shape = typename Family::template model<Family::any, inference_weights>;

/// The sizes of a config.json, as all but the oldest call them. `head_width`: the model's own, where it is
/// not hidden_size / num_attention_heads.
template <class Fields, class Config>
void describe_sizes(Fields& f, Config& c, std::optional<int> head_width = std::nullopt) {
  f.count({"vocab_size"}, c.vocab_size, config_limits::vocab_size);
  f.count({"max_position_embeddings"}, c.n_positions, config_limits::n_positions);
  f.count({"hidden_size"}, c.n_embd, config_limits::width);
  f.count({"intermediate_size"}, c.n_inner, config_limits::n_inner);
  f.count({"num_hidden_layers"}, c.n_layer, config_limits::n_layer);
  f.count({"num_attention_heads"}, c.n_head, config_limits::width);
  f.head_width("hidden_size", c.n_embd, "num_attention_heads", c.n_head, c.head_width, head_width);
}

/// What every config.json ends with here: the tokens that begin and end a text, by default `bos` and `eos`,
/// and whether the output is the embedding.
template <class Fields, class Config, class Settings>
void describe_vocabulary(Fields& f, Config& c, Settings& s, std::optional<token_id> bos,
                         const std::vector<token_id>& eos) {
  f.token("bos_token_id", s.bos_token_id, bos, c.vocab_size);
  f.tokens("eos_token_id", s.eos_token_ids, eos, c.vocab_size);
  f.choice("tie_word_embeddings", c.tie_word_embeddings);
}

/// Gives rotary settings, where there are any, what they have unless told: whole heads are turned, in texts
/// of the model's length.
template <class Config, class Settings>
void complete_rotary(const Config& c, Settings& s) {
  if constexpr (requires { s.rotary; }) {
    if (s.rotary.width == 0) s.rotary.width = static_cast<std::size_t>(c.head_width);
    s.rotary.max_position_embeddings = static_cast<std::size_t>(c.n_positions);
  }
}

/// The shape of a model that is to be trained from nothing, from what a person chooses; what else the
/// family's new models have is its `begin`, where it has one.
template <model_family Family>
typename Family::config new_shape(int width, int n_layer, int n_head, int vocab_size, int n_positions,
                                  typename Family::settings& s) {
  typename Family::config c{.n_embd = width,
                            .n_layer = n_layer,
                            .n_head = n_head,
                            .vocab_size = vocab_size,
                            .n_positions = n_positions};
  if constexpr (requires { Family::begin(c, s); }) Family::begin(c, s);
  complete_rotary(c, s);
  return c;
}

} // namespace transept::inline TRANSEPT_ABI
