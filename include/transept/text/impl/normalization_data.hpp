// What unicode_tables says of how characters are normalized, in tables to be searched.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <transept/core/version.hpp>
#include <transept/text/impl/normalization_tables.hpp>
#include <transept/text/unicode.hpp>

namespace transept::inline TRANSEPT_ABI {
namespace detail {

/// Hangul syllables, which are computed: L, V and T are consonants, vowels and closing consonants.
struct hangul {
  static constexpr std::uint32_t first = 0xac00, l = 0x1100, v = 0x1161, t = 0x11a7;
  static constexpr std::uint32_t l_count = 19, v_count = 21, t_count = 28,
                                 count = l_count * v_count * t_count;
};

/// A run of characters, and a number that belongs to all of them, or to every `step`-th.
struct character_run {
  std::uint32_t first, last, step;
  std::int32_t value;
};

/// A character and what it is decomposed to.
struct decomposition {
  std::uint32_t code_point;
  std::vector<std::uint32_t> parts;
};

/// Two characters and what they are composed to.
struct pair_of_characters {
  std::uint32_t left, right, whole;

  friend bool operator<(const pair_of_characters& a, const pair_of_characters& b) {
    return a.left != b.left ? a.left < b.left : a.right < b.right;
  }
};

/// What unicode_tables says, in tables to be searched; made when they are first needed.
struct normalization_data {
  std::vector<decomposition> canonical, compatible;
  std::vector<pair_of_characters> compositions;
  std::vector<character_run> combining_classes, spacing_marks, words, lower_cases;
  std::vector<std::uint8_t> traits; ///< of the characters below U+30000; behind there are none

  normalization_data();
};

/// What a character may do, in normalization_data::traits. Nearly all characters of nearly all texts do
/// nothing.
struct trait {
  static constexpr std::uint8_t decomposes = 1, is_compatible = 2, combines = 4, is_second = 8,
                                has_lower_case = 16,
                                changes_in_c = 32; ///< decomposes, and does not compose again
};

/// "300-314=230", "41-5A/1=32", "903": in order.
inline std::vector<character_run> runs_in(std::string_view text) {
  std::vector<character_run> runs;
  while (!text.empty()) {
    const std::string each(text.substr(0, text.find(' ')));
    text.remove_prefix(std::min(text.size(), each.size() + 1));
    const auto behind = [&](char mark, const char* otherwise) {
      const std::size_t at = each.find(mark);
      return at == each.npos ? std::string(otherwise) : each.substr(at + 1);
    };
    const auto first = static_cast<std::uint32_t>(std::stoul(each, nullptr, 16));
    const auto last = static_cast<std::uint32_t>(std::stoul(
        each.substr(0, each.find('=')).find('-') == each.npos ? each : behind('-', ""), nullptr, 16));
    runs.push_back({first, last, static_cast<std::uint32_t>(std::stoul(behind('/', "1"))),
                    static_cast<std::int32_t>(std::stol(behind('=', "0")))});
  }
  return runs;
}

/// A character and its parts, each behind a tab.
inline std::vector<decomposition> decompositions_in(std::string_view text) {
  std::vector<decomposition> all;
  while (!text.empty()) {
    std::string_view entry = text.substr(0, text.find('\t'));
    text.remove_prefix(entry.size() + 1);
    decomposition each{first_character(entry).code_point, {}};
    for (entry.remove_prefix(first_character(entry).length); !entry.empty();) {
      const character part = first_character(entry);
      each.parts.push_back(part.code_point);
      entry.remove_prefix(part.length);
    }
    all.push_back(std::move(each));
  }
  return all;
}

inline const normalization_data& normalization_tables() {
  static const normalization_data data;
  return data;
}

/// The run that a code point is in, or nullptr.
inline const character_run* find_run(const std::vector<character_run>& runs, std::uint32_t code_point) {
  const auto after =
      std::upper_bound(runs.begin(), runs.end(), code_point,
                       [](std::uint32_t wanted, const character_run& run) { return wanted < run.first; });
  if (after == runs.begin() || std::prev(after)->last < code_point) return nullptr;
  return &*std::prev(after);
}

/// The traits of a character; none of a byte that is no UTF-8.
inline std::uint8_t traits_of(std::uint32_t code_point) {
  const auto& traits = normalization_tables().traits;
  return code_point < traits.size() ? traits[code_point] : std::uint8_t{0};
}

inline std::uint32_t combining_class(std::uint32_t code_point) {
  if ((traits_of(code_point) & trait::combines) == 0) return 0;
  const character_run* const run = find_run(normalization_tables().combining_classes, code_point);
  return run ? static_cast<std::uint32_t>(run->value) : 0;
}

inline const decomposition* find_decomposition(const std::vector<decomposition>& table,
                                               std::uint32_t code_point) {
  const auto found = std::lower_bound(
      table.begin(), table.end(), code_point,
      [](const decomposition& each, std::uint32_t wanted) { return each.code_point < wanted; });
  return found != table.end() && found->code_point == code_point ? &*found : nullptr;
}

inline normalization_data::normalization_data()
    : canonical(decompositions_in(unicode_tables::decompositions)),
      compatible(decompositions_in(unicode_tables::compatibility)),
      combining_classes(runs_in(unicode_tables::combining_classes)),
      spacing_marks(runs_in(unicode_tables::spacing_marks)),
      words(runs_in(unicode_tables::words)),
      lower_cases(runs_in(unicode_tables::lower_cases)) {
  std::vector<std::uint32_t> kept_apart;
  for (std::string_view rest = unicode_tables::kept_apart; !rest.empty();
       rest.remove_prefix(first_character(rest).length))
    kept_apart.push_back(first_character(rest).code_point);
  for (const decomposition& each : canonical) {
    if (each.parts.size() != 2 || std::binary_search(kept_apart.begin(), kept_apart.end(), each.code_point))
      continue;
    compositions.push_back({each.parts[0], each.parts[1], each.code_point});
  }
  std::sort(compositions.begin(), compositions.end());
  traits.assign(0x30000, 0);
  const auto mark = [&](std::uint32_t code_point, std::uint8_t what) {
    if (code_point < traits.size()) traits[code_point] = static_cast<std::uint8_t>(traits[code_point] | what);
  };
  for (const decomposition& each : compatible) mark(each.code_point, trait::is_compatible);
  const auto has_compatible_part = [&](const decomposition& each) {
    return std::any_of(each.parts.begin(), each.parts.end(), [&](std::uint32_t part) {
      return part < traits.size() && (traits[part] & trait::is_compatible) != 0;
    });
  };
  for (int depth = 0; depth < 4; ++depth) // parts have parts
    for (const decomposition& each : canonical)
      if (has_compatible_part(each)) mark(each.code_point, trait::is_compatible);
  for (const decomposition& each : canonical)
    mark(each.code_point, static_cast<std::uint8_t>(trait::decomposes | trait::changes_in_c));
  for (const pair_of_characters& each : compositions) {
    mark(each.right, trait::is_second);
    if (each.whole < traits.size()) traits[each.whole] &= static_cast<std::uint8_t>(~trait::changes_in_c);
  }
  for (const character_run& run : combining_classes)
    for (std::uint32_t c = run.first; c <= run.last; ++c) mark(c, trait::combines);
  for (const character_run& run : lower_cases)
    for (std::uint32_t c = run.first; c <= run.last; c += run.step) mark(c, trait::has_lower_case);
  for (std::uint32_t i = 0; i < hangul::count; ++i) mark(hangul::first + i, trait::decomposes);
  for (std::uint32_t c = hangul::v; c < hangul::t + hangul::t_count; ++c) mark(c, trait::is_second);
}

} // namespace detail
} // namespace transept::inline TRANSEPT_ABI
