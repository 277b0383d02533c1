// How a table of replacements is read and applied (text/character_map.hpp).
#pragma once

#include <algorithm>
#include <array>
#include <utility>

#include <transept/core/error.hpp>
#include <transept/text/character_map.hpp>
#include <transept/text/unicode.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

/// What the units of a double array say.
struct double_array_unit {
  std::uint32_t bits;

  bool has_leaf() const { return (bits >> 8 & 1u) != 0; }
  std::uint32_t value() const { return bits & 0x7fffffffu; }
  std::uint32_t label() const { return bits & 0x800000ffu; } // above 255: no byte leads here
  std::uint32_t offset() const { return bits >> 10 << ((bits & 0x200u) >> 6); }
};

/// Whether no character joins what is before it or behind it: GCB=Control of UAX 29.
inline bool is_cluster_control(std::uint32_t c) {
  const auto in = [&](std::uint32_t first, std::uint32_t last) { return first <= c && c <= last; };
  return c < 0x20 || in(0x7f, 0x9f) || c == 0xad || c == 0x61c || c == 0x180e || c == 0x200b ||
         in(0x200e, 0x200f) || in(0x2028, 0x202e) || in(0x2060, 0x206f) || c == 0xfeff ||
         in(0xfff0, 0xfffb) || in(0x13430, 0x1343f) || in(0x1bca0, 0x1bca3) || in(0x1d173, 0x1d17a) ||
         in(0xe0000, 0xe001f) || in(0xe0080, 0xe00ff) || in(0xe01f0, 0xe0fff);
}

/// Whether it joins what is before it: GCB=Extend, SpacingMark or ZWJ.
inline bool joins_cluster(std::uint32_t c) {
  const auto in = [&](std::uint32_t first, std::uint32_t last) { return first <= c && c <= last; };
  if (c < 0x300) return false;
  if (kind_of(c) == character_kind::mark) {
    // Spacing marks of South-East Asian scripts that begin a cluster of their own.
    return !(in(0x102b, 0x102c) || c == 0x1038 || in(0x1062, 0x1064) || in(0x1067, 0x106d) || c == 0x1083 ||
             in(0x1087, 0x108c) || c == 0x108f || in(0x109a, 0x109c) || c == 0x1a61 || in(0x1a63, 0x1a64) ||
             c == 0xaa7b || c == 0xaa7d || in(0x11720, 0x11721));
  }
  return in(0x200c, 0x200d) || c == 0xe33 || c == 0xeb3 || in(0xff9e, 0xff9f) || in(0x1f3fb, 0x1f3ff) ||
         in(0xe0020, 0xe007f);
}

/// Whether what is behind it joins it: GCB=Prepend, as far as it takes two bytes. (One of three makes
/// a cluster of 6 bytes or one that no table knows.)
inline bool begins_cluster(std::uint32_t c) { return (0x600 <= c && c <= 0x605) || c == 0x6dd || c == 0x70f; }

/// The end of the grapheme cluster at the beginning of `text`. Syllables of Hangul, flags and joined emoji
/// are cut: these have 6 bytes or more, and their characters go one by one anyway.
inline std::size_t end_of_cluster(std::string_view text) {
  const character first = first_character(text);
  std::size_t end = first.length;
  if (first.code_point == '\r' && text.substr(1).starts_with('\n')) return 2;
  if (is_cluster_control(first.code_point) || first.code_point == character::not_utf8) return end;
  bool goes_on = begins_cluster(first.code_point);
  while (end < text.size()) {
    if (static_cast<unsigned char>(text[end]) < 0x80 && !goes_on) break;
    const character next = first_character(text.substr(end));
    const bool is_text = next.code_point != character::not_utf8 && !is_cluster_control(next.code_point);
    if (!(goes_on && is_text) && !(is_text && joins_cluster(next.code_point))) break;
    goes_on = goes_on && begins_cluster(next.code_point);
    end += next.length;
  }
  return end;
}

} // namespace detail

TRANSEPT_FUNCTION character_map::character_map(std::string_view bytes, const std::string& source) {
  if (bytes.empty()) return;
  const auto number_at = [&](std::size_t at) {
    std::uint32_t number = 0;
    for (std::size_t i = 4; i-- > 0;) number = number << 8 | static_cast<unsigned char>(bytes[at + i]);
    return number;
  };
  const std::size_t size = bytes.size() < 4 ? 0 : number_at(0);
  if (size == 0 || size % 4 != 0 || size > bytes.size() - 4)
    throw format_error(source + ": the table of characters (precompiled_charsmap) is cut off");
  for (std::size_t at = 4; at < 4 + size; at += 4) units_.push_back(number_at(at));
  values_ = bytes.substr(4 + size);
  (void)longest_key(source); // throws where there is none
  for (unsigned char c = 0x20; c < 0x7f; ++c) {
    bool begins = false; // whether a string does so with an ASCII character behind it, or none
    for (unsigned char next = 1; next < 0x80; ++next) {
      const char both[2] = {static_cast<char>(c), static_cast<char>(next)};
      begins = begins || goes_on({both, 2});
    }
    const char own = static_cast<char>(c);
    is_plain_[c] = !begins && !shortest({&own, 1});
  }
}

/// Walks the array's units, each once. Nodes may be shared.
TRANSEPT_FUNCTION std::size_t character_map::longest_key(const std::string& source) const {
  constexpr std::size_t open = static_cast<std::size_t>(-1), longest_value = 4096;
  const auto fail = [&](const char* what) {
    throw format_error(source + ": the table of characters (precompiled_charsmap) " + what);
  };
  // The unit at u is reached by its label from the base u ^ label: units by bases.
  const auto base_of = [&](std::uint32_t unit) {
    return unit ^ detail::double_array_unit{units_[unit]}.label();
  };
  std::vector<std::uint32_t> by_base;
  for (std::uint32_t unit = 1; unit < units_.size(); ++unit)
    if (detail::double_array_unit{units_[unit]}.label() < 256) by_base.push_back(unit);
  std::sort(by_base.begin(), by_base.end(), [&](auto a, auto b) { return base_of(a) < base_of(b); });
  const auto first_of = [&](std::uint32_t base) {
    return static_cast<std::size_t>(
        std::lower_bound(by_base.begin(), by_base.end(), base,
                         [&](auto unit, auto wanted) { return base_of(unit) < wanted; }) -
        by_base.begin());
  };
  struct visit {
    std::uint32_t unit, base;
    std::size_t next, depth;
  };
  std::vector<std::size_t> depths(units_.size(), 0); // below a unit, plus one; 0: not yet; open: on the way
  const auto enter = [&](std::uint32_t unit) {
    const detail::double_array_unit here{units_[unit]};
    const std::uint32_t base = unit ^ here.offset();
    depths[unit] = open;
    if (here.has_leaf()) {
      if (base >= units_.size()) fail("has a string without a replacement");
      const std::size_t at = detail::double_array_unit{units_[base]}.value();
      if (at >= values_.size()) fail("has a replacement behind its end");
      if (std::min(values_.find('\0', at), values_.size()) - at > longest_value)
        fail("has a replacement of more than 4096 bytes");
    }
    return visit{unit, base, first_of(base), 0};
  };
  std::vector<visit> way{enter(0)};
  std::size_t depth = 0;
  while (!way.empty()) {
    visit& here = way.back();
    if (here.next == by_base.size() || base_of(by_base[here.next]) != here.base) {
      depth = here.depth;
      depths[here.unit] = depth + 1;
      way.pop_back();
      if (!way.empty()) way.back().depth = std::max(way.back().depth, depth + 1);
      continue;
    }
    const std::uint32_t unit = by_base[here.next++];
    if (depths[unit] == open) fail("has strings without end");
    if (depths[unit] != 0)
      here.depth = std::max(here.depth, depths[unit]);
    else
      way.push_back(enter(unit));
  }
  return depth;
}

TRANSEPT_FUNCTION std::string_view character_map::value(std::uint32_t unit) const {
  const std::string_view from =
      std::string_view(values_).substr(detail::double_array_unit{units_[unit]}.value());
  return from.substr(0, from.find('\0'));
}

inline bool character_map::goes_on(std::string_view beginning) const {
  std::uint32_t at = detail::double_array_unit{units_[0]}.offset();
  for (const char each : beginning) {
    at ^= static_cast<unsigned char>(each);
    if (at >= units_.size()) return false;
    const detail::double_array_unit unit{units_[at]};
    if (unit.label() != static_cast<unsigned char>(each)) return false;
    at ^= unit.offset();
  }
  return true;
}

inline std::optional<character_map::replacement> character_map::find(std::string_view text,
                                                                     bool shortest) const {
  std::optional<replacement> found;
  if (units_.empty()) return found;
  std::uint32_t at = detail::double_array_unit{units_[0]}.offset();
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::uint32_t byte = static_cast<unsigned char>(text[i]);
    at ^= byte;
    if (at >= units_.size()) break;
    const detail::double_array_unit unit{units_[at]};
    if (unit.label() != byte) break;
    at ^= unit.offset();
    if (!unit.has_leaf()) continue;
    found = replacement{value(at), i + 1};
    if (shortest) break;
  }
  return found;
}

TRANSEPT_FUNCTION std::optional<character_map::replacement> character_map::longest(
    std::string_view text) const {
  return find(text, false);
}

TRANSEPT_FUNCTION std::optional<character_map::replacement> character_map::shortest(
    std::string_view text) const {
  return find(text, true);
}

TRANSEPT_FUNCTION std::string character_map::apply_to_clusters(std::string_view text) const {
  std::string out;
  out.reserve(text.size());
  const auto is_ascii = [&](std::size_t at) { return static_cast<unsigned char>(text[at]) < 0x80; };
  while (!text.empty()) {
    // Letters, digits and marks of ASCII that nothing joins, and that the table does not know.
    std::size_t plain = 0;
    while (plain + 1 < text.size() && is_plain_[static_cast<unsigned char>(text[plain])] &&
           is_ascii(plain + 1))
      ++plain;
    out.append(text, 0, plain);
    text.remove_prefix(plain);
    const std::string_view cluster = text.substr(0, detail::end_of_cluster(text));
    text.remove_prefix(cluster.size());
    if (cluster.size() < 6) {
      if (const auto found = shortest(cluster)) {
        out += found->text;
        continue;
      }
    }
    for (std::string_view rest = cluster; !rest.empty();) {
      const std::string_view own = rest.substr(0, first_character(rest).length);
      const auto found = shortest(own);
      out += found ? found->text : own;
      rest.remove_prefix(own.size());
    }
  }
  return out;
}

} // namespace transept::inline TRANSEPT_ABI
