// Twins of the activation functions: GELU (Hendrycks, Gimpel 2016; exactly, and in GPT-2's tanh form), ReLU,
// SiLU, quick GELU.
#pragma once

#include <cmath>
#include <numbers>
#include <stdexcept>

#include "arrays.hpp"
#include <transept/core/activation.hpp>

namespace reference {

/// x Φ(x), Φ the normal distribution.
inline double gelu_erf(double x) { return 0.5 * x * (1 + std::erf(x / std::numbers::sqrt2)); }

/// 0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³)))
inline double gelu_tanh(double x) {
  return 0.5 * x * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
}

/// max(x, 0)
inline double relu(double x) { return std::fmax(x, 0.0); }

/// 1 / (1 + e⁻ˣ)
inline double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

/// x σ(x)
inline double silu(double x) { return x * sigmoid(x); }

/// x σ(1.702 x)
inline double quick_gelu(double x) { return x * sigmoid(1.702 * x); }

inline double activation(transept::activation_type type, double x) {
  switch (type) {
  case transept::activation_type::gelu_tanh:
    return gelu_tanh(x);
  case transept::activation_type::gelu_erf:
    return gelu_erf(x);
  case transept::activation_type::relu:
    return relu(x);
  case transept::activation_type::silu:
    return silu(x);
  case transept::activation_type::quick_gelu:
    return quick_gelu(x);
  case transept::activation_type::tanh:
    return std::tanh(x);
  case transept::activation_type::sigmoid:
    return sigmoid(x);
  }
  throw std::invalid_argument("no such activation");
}

/// Element by element.
template <std::size_t Rank>
transept::array<Rank, double> activation(transept::activation_type type,
                                         transept::array<Rank, double> values) {
  for (double& x : values) x = activation(type, x);
  return values;
}

} // namespace reference
