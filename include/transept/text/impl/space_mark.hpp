// The ▁ (U+2581) that files of SentencePiece's kind write for a space.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include <transept/core/version.hpp>

namespace transept::inline TRANSEPT_ABI {
namespace detail {

inline constexpr std::string_view space_mark = "\xe2\x96\x81";

/// The text with a space for each ▁.
inline std::string with_spaces(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t mark = std::min(text.find(space_mark, at), text.size());
    out += text.substr(at, mark - at);
    if (mark != text.size()) out += ' ';
    at = std::min(mark + space_mark.size(), text.size());
  }
  return out;
}

/// The text with a ▁ for each space.
inline std::string with_space_marks(std::string_view text) {
  std::string out;
  for (const char each : text) each == ' ' ? out.append(space_mark) : out.append(1, each);
  return out;
}

} // namespace detail
} // namespace transept::inline TRANSEPT_ABI
