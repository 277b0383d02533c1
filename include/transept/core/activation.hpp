// Names of the activation functions (kernels/activation.hpp has the formulas).
#pragma once

#include <cstdint>

#include <transept/core/version.hpp>

namespace transept::inline TRANSEPT_ABI {

enum class activation_type : std::uint8_t { gelu_tanh, gelu_erf, relu, silu, quick_gelu, tanh };

} // namespace transept::inline TRANSEPT_ABI
