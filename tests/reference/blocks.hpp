// Twins of the block-quantized formats: the formulas of core/blocks.hpp, number by number.
#pragma once

#include <cmath>
#include <vector>

#include "arrays.hpp"

namespace reference {

/// Q8_0 of 32 numbers, decoded again: d = max|x| / 127 as f16, d · round(x / d).
inline std::vector<double> q8_0(const std::vector<double>& x) {
  double most = 0;
  for (const double value : x) most = std::max(most, std::fabs(value));
  const double d = transept::to_float(transept::to_f16(static_cast<float>(most / 127)));
  std::vector<double> decoded;
  for (const double value : x)
    decoded.push_back(d == 0 ? 0 : d * std::clamp(std::nearbyint(value / d), -127.0, 127.0));
  return decoded;
}

/// Q4_0 of 32 numbers as llama.cpp makes it, decoded again: d = m / −8 with m the number of greatest
/// magnitude, d · (clamp(⌊x / d + 8.5⌋, 0, 15) − 8).
inline std::vector<double> q4_0(const std::vector<double>& x) {
  double most = 0;
  for (const double value : x) most = std::fabs(value) > std::fabs(most) ? value : most;
  const double d = transept::to_float(transept::to_f16(static_cast<float>(most / -8)));
  std::vector<double> decoded;
  for (const double value : x)
    decoded.push_back(d == 0 ? 0 : d * (std::clamp(std::floor(value / d + 8.5), 0.0, 15.0) - 8));
  return decoded;
}

} // namespace reference
