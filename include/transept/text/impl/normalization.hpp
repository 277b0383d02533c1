// How texts are normalized (text/normalization.hpp).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <utility>
#include <vector>

#include <transept/text/impl/normalization_tables.hpp>
#include <transept/text/normalization.hpp>
#include <transept/text/unicode.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

/// A byte that is no UTF-8, among code points.
inline constexpr std::uint32_t raw_byte = 0x80000000u;

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
  std::vector<std::uint32_t> seconds; ///< of pairs that compose, without those that have a combining class

  normalization_data();
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

inline std::uint32_t combining_class(std::uint32_t code_point) {
  if (code_point < 0x300) return 0;
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

TRANSEPT_FUNCTION normalization_data::normalization_data()
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
    if (!find_run(combining_classes, each.parts[1])) seconds.push_back(each.parts[1]);
  }
  std::sort(compositions.begin(), compositions.end());
  std::sort(seconds.begin(), seconds.end());
}

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

inline std::string in_utf8(const std::vector<std::uint32_t>& characters) {
  std::string text;
  text.reserve(characters.size() * 2);
  for (const std::uint32_t each : characters) {
    if (each & raw_byte)
      text += static_cast<char>(each & 0xffu);
    else
      append_utf8(text, each);
  }
  return text;
}

/// Decomposed, each character's marks in canonical order.
inline std::vector<std::uint32_t> decomposed(std::string_view text, bool compatible = false) {
  std::vector<std::uint32_t> out;
  out.reserve(text.size());
  for_each_character(text, [&](std::uint32_t each) { decompose(each, compatible, out); });
  for (auto begin = out.begin(); begin != out.end();) {
    if (combining_class(*begin) == 0) {
      ++begin;
      continue;
    }
    const auto end = std::find_if(begin, out.end(), [](auto each) { return combining_class(each) == 0; });
    std::stable_sort(begin, end, [](auto a, auto b) { return combining_class(a) < combining_class(b); });
    begin = end;
  }
  return out;
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

/// Whether a character stays what it is in form C, whatever stands beside it.
inline bool is_inert(std::uint32_t code_point) {
  if (code_point < 0x300 || (code_point & raw_byte)) return true;
  if ((0x3400 <= code_point && code_point < 0xa66f) || code_point - hangul::first < hangul::count)
    return true;
  if (code_point - hangul::v < 0x11ff - hangul::v || combining_class(code_point) != 0) return false;
  const normalization_data& data = normalization_tables();
  if (const decomposition* const known = find_decomposition(data.canonical, code_point))
    return known->parts.size() == 2 && composition(known->parts[0], known->parts[1]) == code_point;
  return !std::binary_search(data.seconds.begin(), data.seconds.end(), code_point);
}

} // namespace detail

TRANSEPT_FUNCTION bool is_surely_nfc(std::string_view text) {
  // What begins with a lower byte is below U+0300.
  while (!text.empty()) {
    if (static_cast<unsigned char>(text[0]) < 0xcc) {
      text.remove_prefix(1);
      continue;
    }
    const character next = first_character(text);
    if (next.code_point != character::not_utf8 && !detail::is_inert(next.code_point)) return false;
    text.remove_prefix(next.length);
  }
  return true;
}

TRANSEPT_FUNCTION std::string nfc(std::string_view text) {
  if (is_surely_nfc(text)) return std::string(text);
  std::vector<std::uint32_t> characters = detail::decomposed(text);
  detail::compose(characters);
  return detail::in_utf8(characters);
}

TRANSEPT_FUNCTION std::string nfkc(std::string_view text) {
  std::vector<std::uint32_t> characters = detail::decomposed(text, true);
  detail::compose(characters);
  return detail::in_utf8(characters);
}

TRANSEPT_FUNCTION bool is_word_character(char32_t code_point) {
  return detail::find_run(detail::normalization_tables().words, static_cast<std::uint32_t>(code_point)) !=
         nullptr;
}

TRANSEPT_FUNCTION std::string nfd(std::string_view text) { return detail::in_utf8(detail::decomposed(text)); }

TRANSEPT_FUNCTION std::string lower_case(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  detail::for_each_character(text, [&](std::uint32_t each) {
    if (each & detail::raw_byte) {
      out += static_cast<char>(each & 0xffu);
    } else if (each == 0x130) { // İ: the one whose lower case is two characters
      out += "i\xcc\x87";
    } else {
      const auto* const run = detail::find_run(detail::normalization_tables().lower_cases, each);
      const bool changes = run && (each - run->first) % run->step == 0;
      append_utf8(out, changes ? each + static_cast<std::uint32_t>(run->value) : each);
    }
  });
  return out;
}

TRANSEPT_FUNCTION std::string without_marks(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const character next = first_character(text);
    const bool goes = kind_of(next.code_point) == character_kind::mark &&
                      !detail::find_run(detail::normalization_tables().spacing_marks, next.code_point);
    if (!goes) out += text.substr(0, next.length);
    text.remove_prefix(next.length);
  }
  return out;
}

} // namespace transept::inline TRANSEPT_ABI
