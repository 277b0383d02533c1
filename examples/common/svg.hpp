// Scalable vector graphics (SVG 1.1), as text: escaping, token labels, a colour scale.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>

#include <transept/text/unicode.hpp>

namespace examples::svg {

/// A number with at most two digits after the point: "12", "3.5".
inline std::string number(double value) {
  std::array<char, 32> digits{};
  std::snprintf(digits.data(), digits.size(), "%.2f", value);
  std::string text = digits.data();
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text == "-0" ? "0" : text;
}

namespace detail {

/// Characters that would not show, would rearrange the line, or that XML 1.0 does not allow.
inline bool is_drawable(std::uint32_t code_point) {
  const auto within = [code_point](std::uint32_t first, std::uint32_t last) {
    return code_point >= first && code_point <= last;
  };
  if (within(0, 0x1f) || within(0x7f, 0x9f) || code_point == 0xad) return false; // controls, soft hyphen
  if (within(0x200b, 0x200f) || within(0x2028, 0x202e) || within(0x2060, 0x206f)) return false;
  if (within(0xfdd0, 0xfdef) || (code_point & 0xfffeu) == 0xfffeu) return false; // no characters at all
  return code_point != 0xfeff && code_point != transept::character::not_utf8;
}

} // namespace detail

/// Text in XML, and how many columns of a monospaced font it takes.
struct label {
  std::string xml;
  std::size_t columns = 0;
};

/// Any bytes as text that shows all of them: markup is escaped, a space is drawn as ·, a line's end as ↵, a
/// tab as →, and bytes that have no picture as \xNN. Cut with … where it would take more than `most` columns.
inline label visible(std::string_view bytes, std::size_t most = static_cast<std::size_t>(-1)) {
  constexpr std::string_view hexadecimal = "0123456789ABCDEF";
  const auto picture = [&](transept::character next) -> label {
    switch (next.code_point) {
    case ' ':
      return {"·", 1};
    case '\n':
      return {"↵", 1};
    case '\t':
      return {"→", 1};
    case '&':
      return {"&amp;", 1};
    case '<':
      return {"&lt;", 1};
    case '>':
      return {"&gt;", 1};
    case '"':
      return {"&quot;", 1};
    default:
      break;
    }
    if (detail::is_drawable(next.code_point))
      return {std::string(bytes.substr(0, next.length)), next.code_point < 0x1100 ? 1u : 2u};
    label escape{"", std::size_t{4} * next.length};
    for (const char c : bytes.substr(0, next.length)) {
      const auto byte = static_cast<unsigned char>(c);
      escape.xml += {'\\', 'x', hexadecimal[byte >> 4], hexadecimal[byte & 15u]};
    }
    return escape;
  };
  label text, cut; // cut: as much of it as leaves room for …
  while (!bytes.empty()) {
    const transept::character next = transept::first_character(bytes);
    const label shown = picture(next);
    text.xml += shown.xml;
    text.columns += shown.columns;
    if (text.columns > most) return {cut.xml + "…", cut.columns + 1};
    if (text.columns < most) cut = text;
    bytes.remove_prefix(next.length);
  }
  return text;
}

/// A sequential scale, light to dark with evenly growing contrast (after ColorBrewer's YlGnBu; Harrower &
/// Brewer 2003), at `position` from 0 to 1: "#rrggbb".
inline std::string colour(double position) {
  struct rgb {
    double red, green, blue;
  };
  constexpr std::array<rgb, 8> stops{{{250, 250, 246},
                                      {226, 241, 208},
                                      {179, 222, 190},
                                      {107, 193, 193},
                                      {54, 151, 188},
                                      {38, 103, 168},
                                      {38, 60, 134},
                                      {14, 25, 74}}};
  const double at = std::clamp(position, 0.0, 1.0) * (stops.size() - 1);
  const auto below = std::min(static_cast<std::size_t>(at), stops.size() - 2);
  const double part = at - static_cast<double>(below);
  const auto mix = [&](double rgb::*channel) {
    return static_cast<unsigned>(
        std::lround(stops[below].*channel * (1 - part) + stops[below + 1].*channel * part));
  };
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "#%02x%02x%02x", mix(&rgb::red) & 0xffu, mix(&rgb::green) & 0xffu,
                mix(&rgb::blue) & 0xffu);
  return text.data();
}

} // namespace examples::svg
