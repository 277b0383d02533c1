// How the parts of a text that need it are normalized.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <transept/text/impl/normalization_data.hpp>
#include <transept/text/unicode.hpp>

namespace transept::inline TRANSEPT_ABI {
namespace detail {

/// A byte that is no UTF-8, among code points.
inline constexpr std::uint32_t raw_byte = 0x80000000u;

/// The character that two compose to, or 0.
inline std::uint32_t composition(std::uint32_t left, std::uint32_t right) {
  if (left - hangul::l < hangul::l_count && right - hangul::v < hangul::v_count)
    return hangul::first + ((left - hangul::l) * hangul::v_count + right - hangul::v) * hangul::t_count;
  if (left - hangul::first < hangul::count && (left - hangul::first) % hangul::t_count == 0 &&
      right - hangul::t - 1 < hangul::t_count - 1)
    return left + right - hangul::t;
  const auto& table = normalization_tables().compositions;
  const auto found = std::lower_bound(table.begin(), table.end(), pair_of_characters{left, right, 0});
  return found != table.end() && found->left == left && found->right == right ? found->whole : 0;
}

/// Appends a character's whole decomposition; `compatible`: in forms KC and KD.
inline void decompose(std::uint32_t code_point, bool compatible, std::vector<std::uint32_t>& out) {
  const std::uint8_t traits = traits_of(code_point);
  if ((traits & (trait::decomposes | (compatible ? trait::is_compatible : 0))) == 0) {
    out.push_back(code_point);
    return;
  }
  const normalization_data& data = normalization_tables();
  const decomposition* known = compatible ? find_decomposition(data.compatible, code_point) : nullptr;
  if (!known) known = find_decomposition(data.canonical, code_point);
  if (const std::uint32_t at = code_point - hangul::first; at < hangul::count) {
    out.push_back(hangul::l + at / (hangul::v_count * hangul::t_count));
    out.push_back(hangul::v + at / hangul::t_count % hangul::v_count);
    if (at % hangul::t_count != 0) out.push_back(hangul::t + at % hangul::t_count);
  } else if (known) {
    for (const std::uint32_t part : known->parts) decompose(part, compatible, out);
  } else {
    out.push_back(code_point);
  }
}

/// Calls f(code point, or raw_byte | byte) for each character.
template <class F>
void for_each_character(std::string_view text, F&& f) {
  while (!text.empty()) {
    const character next = first_character(text);
    f(next.code_point == character::not_utf8 ? raw_byte | static_cast<unsigned char>(text[0])
                                             : next.code_point);
    text.remove_prefix(next.length);
  }
}

inline void append_in_utf8(const std::vector<std::uint32_t>& characters, std::string& text) {
  for (const std::uint32_t each : characters) {
    if (each & raw_byte)
      text += static_cast<char>(each & 0xffu);
    else
      append_utf8(text, each);
  }
}

/// Each character's marks in canonical order.
inline void order_marks(std::vector<std::uint32_t>& characters) {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> marks; // a class, and the mark
  for (std::size_t begin = 0; begin < characters.size();) {
    std::size_t end = begin;
    bool is_ordered = true;
    for (std::uint32_t last = 0; end < characters.size(); ++end) {
      const std::uint32_t own = combining_class(characters[end]);
      if (own == 0) break;
      is_ordered = is_ordered && last <= own;
      last = own;
    }
    if (!is_ordered) {
      marks.clear();
      for (std::size_t i = begin; i < end; ++i)
        marks.emplace_back(combining_class(characters[i]), characters[i]);
      std::stable_sort(marks.begin(), marks.end(),
                       [](const auto& a, const auto& b) { return a.first < b.first; });
      for (std::size_t i = begin; i < end; ++i) characters[i] = marks[i - begin].second;
    }
    begin = end + 1;
  }
}

/// Composes in place: a character goes into the last starter before it, unless one that stays stands between
/// and is of no lower class.
inline void compose(std::vector<std::uint32_t>& characters) {
  std::size_t kept = 0, starter = 0;
  bool has_starter = false;
  std::uint32_t last_class = 0; // of what was kept behind the starter
  for (const std::uint32_t each : characters) {
    const std::uint32_t own = combining_class(each);
    const bool is_next = has_starter && kept == starter + 1;
    if (has_starter && (is_next || (last_class != 0 && last_class < own))) {
      if (const std::uint32_t whole = composition(characters[starter], each)) {
        characters[starter] = whole;
        continue;
      }
    }
    if (own == 0) {
      starter = kept;
      has_starter = true;
    }
    last_class = own;
    characters[kept++] = each;
  }
  characters.resize(kept);
}

/// Whether a character stays what it is in form C, whatever stands before it.
inline bool is_inert(std::uint32_t code_point) {
  return (traits_of(code_point) & (trait::combines | trait::is_second | trait::changes_in_c)) == 0;
}

/// The text with f(part, out) for each part that has characters with any of these traits, the character
/// before each of them, which they might change, and nothing else.
template <class F>
std::string normalized_parts(std::string_view text, std::uint8_t traits, F&& f) {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  std::size_t kept = 0, last = 0; // from where on all is as it was; where the character before begins
  for (std::size_t at = 0; at < text.size();) {
    const auto wants = [&](const character& next) { return (traits_of(next.code_point) & traits) != 0; };
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      last = at++;
      continue;
    }
    const character next = first_character(text.substr(at));
    if (!wants(next)) {
      last = at;
      at += next.length;
      continue;
    }
    std::size_t end = at + next.length;
    for (character more; end < text.size(); end += more.length) {
      more = first_character(text.substr(end));
      if (!wants(more)) break;
    }
    const std::size_t begin = std::max(kept, last);
    out.append(text, kept, begin - kept);
    f(text.substr(begin, end - begin), out);
    kept = last = at = end;
  }
  return out.append(text, kept);
}

/// The traits of what a normalization form may change.
constexpr std::uint8_t traits_that_matter(bool compatible, bool composes) {
  const int what = trait::combines | (compatible ? trait::is_compatible : 0) |
                   (composes ? trait::is_second | trait::changes_in_c : trait::decomposes);
  return static_cast<std::uint8_t>(what);
}

inline std::string normalized(std::string_view text, bool compatible, bool composes) {
  std::vector<std::uint32_t> characters;
  return normalized_parts(
      text, traits_that_matter(compatible, composes), [&](std::string_view part, std::string& out) {
        characters.clear();
        for_each_character(part, [&](std::uint32_t each) { decompose(each, compatible, characters); });
        order_marks(characters);
        if (composes) compose(characters);
        append_in_utf8(characters, out);
      });
}

} // namespace detail
} // namespace transept::inline TRANSEPT_ABI
