// What the configs of all models share: limits, windows of layers, the members of a shape.
//
// A family is a struct that names its parts (gpt2/config.hpp): its config, its settings, its model type, what
// config.json calls it, and `describe`, the list of config.json's fields. What reads and writes files is
// written against it (io/model_config.hpp, io/load_model.hpp), so that no file format knows a model.
#pragma once

#include <concepts>
#include <cstddef>
#include <string_view>
#include <type_traits>
#include <vector>

#include <transept/core/types.hpp>
#include <transept/kernels/visibility.hpp>
#include <transept/tensor/parameters.hpp>

namespace transept::inline TRANSEPT_ABI {

struct inference_weights;

/// The largest counts accepted. They are far above any published model and small enough that no product of
/// two of them overflows 64 bits, nor n_head · head_width · 3 an int.
struct config_limits {
  static constexpr int width = 1 << 20; // n_embd, head_width, n_head · head_width
  static constexpr int n_inner = 1 << 24;
  static constexpr int n_layer = 1 << 14;
  static constexpr int vocab_size = 1 << 24;
  static constexpr int n_positions = 1 << 24;
};

/// Which blocks see only the `window` positions up to their own; the others see all before them.
struct layer_windows {
  int window = 0;
  std::vector<bool> slides; ///< of each block; empty: none

  bool operator==(const layer_windows&) const = default;
};

/// Every second block slides, from the second on (GPT-3: dense and banded layers in turn).
inline layer_windows in_turn(int n_layer, int window) {
  layer_windows windows{window, std::vector<bool>(static_cast<std::size_t>(n_layer))};
  for (std::size_t i = 1; i < windows.slides.size(); i += 2) windows.slides[i] = true;
  return windows;
}

/// What the queries of block `layer` see.
inline visibility visibility_of(const layer_windows& windows, std::size_t layer) {
  return layer < windows.slides.size() && windows.slides[layer]
             ? sliding_window(static_cast<std::size_t>(windows.window))
             : causal;
}

/// The same shape with every number and choice `dyn`, told at run time.
template <class Config>
constexpr Config any_of(Config config) {
  Config::for_each_member([&](std::string_view, auto pointer) {
    auto& value = config.*pointer;
    if constexpr (std::is_same_v<decltype(value), int&>) value = static_cast<int>(dyn);
    if constexpr (std::is_same_v<decltype(value), choice&>) value = choice(dyn);
  });
  return config;
}

template <class Family>
concept model_family = requires(const typename Family::config& config) {
  Family::name;
  Family::model_types;
  { Family::any } -> std::convertible_to<typename Family::config>;
  { Family::with_defaults(config) } -> std::same_as<typename Family::config>;
  typename Family::settings;
};

/// A family's model whose shape is told at run time: one type for every folder.
template <model_family Family>
using any_shape = typename Family::template model<Family::any, inference_weights>;

} // namespace transept::inline TRANSEPT_ABI
