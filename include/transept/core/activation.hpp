// Names of the activation functions (kernels/activation.hpp computes them), as Hugging Face spells them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <transept/core/version.hpp>

namespace transept::inline TRANSEPT_ABI {

/// gelu_tanh   0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³))), GPT-2's
/// gelu_erf    0.5 x (1 + erf(x / √2)), BERT's
/// relu        max(x, 0)
/// silu        x · sigmoid(x)
/// quick_gelu  x · sigmoid(1.702 x)
/// tanh        tanh(x)
/// sigmoid     1 / (1 + e⁻ˣ), the gate of a gated linear unit
enum class activation_type : std::uint8_t { gelu_tanh, gelu_erf, relu, silu, quick_gelu, tanh, sigmoid };

/// An activation, and what a config.json calls it.
struct named_activation {
  std::string_view name; ///< as config.json spells it
  activation_type type;  ///< what is computed
};

namespace detail {

/// The first name of each type is the one written; the others are other spellings of the same formula.
inline constexpr std::array<named_activation, 13> activation_names{{
    {"gelu_new", activation_type::gelu_tanh},
    {"gelu_pytorch_tanh", activation_type::gelu_tanh},
    {"gelu_fast", activation_type::gelu_tanh},
    {"gelu_accurate", activation_type::gelu_tanh},
    {"gelu_python_tanh", activation_type::gelu_tanh},
    {"gelu", activation_type::gelu_erf},
    {"gelu_python", activation_type::gelu_erf},
    {"relu", activation_type::relu},
    {"silu", activation_type::silu},
    {"swish", activation_type::silu},
    {"quick_gelu", activation_type::quick_gelu},
    {"tanh", activation_type::tanh},
    {"sigmoid", activation_type::sigmoid},
}};

} // namespace detail

/// The name config.json uses: "gelu_new", "gelu", "relu", "silu", "quick_gelu", "tanh", "sigmoid".
constexpr std::string_view name_of(activation_type type) {
  for (const auto& known : detail::activation_names) {
    if (known.type == type) return known.name;
  }
  return "?";
}

/// The activation of a config.json name; nothing if the name is unknown.
constexpr std::optional<activation_type> activation_of(std::string_view name) {
  for (const auto& known : detail::activation_names) {
    if (known.name == name) return known.type;
  }
  return std::nullopt;
}

/// All known names, for a message: "gelu_new, gelu_pytorch_tanh, …".
inline std::string activation_list() {
  std::string list;
  for (const auto& known : detail::activation_names) {
    list += (list.empty() ? "" : ", ") + std::string(known.name);
  }
  return list;
}

} // namespace transept::inline TRANSEPT_ABI
