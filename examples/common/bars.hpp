// Bars of probabilities, in a terminal.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <string>

namespace examples {

/// A bar that fills `share` of `width` columns, in eighths of a column, and spaces after it.
inline std::string bar(double share, int width) {
  static constexpr std::array<const char*, 8> eighths = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const int length = std::clamp(static_cast<int>(std::lround(share * width * 8)), 0, width * 8);
  std::string text;
  for (int i = 0; i < length / 8; ++i) text += "█";
  text += eighths[static_cast<std::size_t>(length % 8)];
  return text.append(static_cast<std::size_t>(width - (length + 7) / 8), ' ');
}

inline std::string right_aligned(const std::string& text, std::size_t width) {
  return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
}

} // namespace examples
