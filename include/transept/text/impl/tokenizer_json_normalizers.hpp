// The normalizers of a tokenizer.json (text/text_normalizer.hpp does them).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <transept/core/json.hpp>
#include <transept/text/impl/tokenizer_json_source.hpp>
#include <transept/text/impl/vocabulary_pieces.hpp>
#include <transept/text/vocabulary.hpp>

namespace transept::inline TRANSEPT_ABI {
namespace detail {

/// The bytes that Base64 (RFC 4648) stands for; nothing where it is none.
inline std::optional<std::string> from_base64(std::string_view text) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::array<unsigned char, 256> values;
  values.fill(64);
  for (std::size_t i = 0; i < digits.size(); ++i)
    values[static_cast<unsigned char>(digits[i])] = static_cast<unsigned char>(i);
  while (text.ends_with('=')) text.remove_suffix(1);
  if (text.size() % 4 == 1) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3 + 3);
  std::uint32_t bits = 0;
  int count = 0;
  for (const char each : text) {
    const std::uint32_t value = values[static_cast<unsigned char>(each)];
    if (value == 64) return std::nullopt;
    bits = (bits << 6 | value) & 0xffffffu;
    if ((count += 6) < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 0xffu);
  }
  return bytes;
}

inline void read_replacement(const tokenizer_json_source& file, const std::string& key, const json& found,
                             text_rules& rules) {
  using pattern_kind = text_replacement::pattern_kind;
  const json& pattern = file.member(found, "pattern");
  text_replacement made{.content = file.text(key + ".", found, "content")};
  const json &text = file.member(pattern, "String"), &expression = file.member(pattern, "Regex");
  if (text == " " && made.content == "▁") {
    rules.marks_spaces = true;
    return;
  }
  if (text.is_string() && text != "") {
    made.text = text.get<std::string>();
  } else if (expression == " {2,}") {
    made.kind = pattern_kind::two_or_more_spaces;
  } else if (expression == "\\s+") {
    made.kind = pattern_kind::white_space;
  } else if (expression == "\\s") {
    made.kind = pattern_kind::one_white_space;
  } else {
    throw tokenizer_error(file.name() + ": " + key +
                          ".pattern is not one of those that are known: " + pattern.dump());
  }
  rules.normalizers.push_back(normalizer::replace);
  rules.replacements.push_back(std::move(made));
}

inline void read_bert_normalizer(const tokenizer_json_source& file, const std::string& key, const json& found,
                                 text_rules& rules) {
  const bool lower = file.flag(key + ".", found, "lowercase", true);
  for (const normalizer step : bert_normalizers({file.flag(key + ".", found, "clean_text", true),
                                                 file.flag(key + ".", found, "handle_chinese_chars", true),
                                                 file.flag(key + ".", found, "strip_accents", lower), lower}))
    rules.normalizers.push_back(step);
}

/// What normalizers a file asks for, into `rules`.
inline void read_normalizer(const tokenizer_json_source& file, const std::string& key, const json& found,
                            text_rules& rules) {
  static constexpr std::pair<std::string_view, normalizer> plain[] = {{"NFC", normalizer::nfc},
                                                                      {"NFKC", normalizer::nfkc},
                                                                      {"NFD", normalizer::nfd},
                                                                      {"NFKD", normalizer::nfkd},
                                                                      {"Lowercase", normalizer::lower_case},
                                                                      {"StripAccents", normalizer::marks},
                                                                      {"Nmt", normalizer::nmt}};
  if (found.is_null()) return;
  const std::string type = file.type_of(found);
  for (const auto& [name, step] : plain)
    if (name == type) return rules.normalizers.push_back(step);
  if (type == "Sequence") {
    file.for_each(key, found, "normalizers", [&](const std::string& place, const json& each) {
      read_normalizer(file, place, each, rules);
    });
  } else if (type == "BertNormalizer") {
    read_bert_normalizer(file, key, found, rules);
  } else if (type == "Strip") {
    if (file.flag(key + ".", found, "strip_left", true)) rules.normalizers.push_back(normalizer::strip_left);
    if (file.flag(key + ".", found, "strip_right", true))
      rules.normalizers.push_back(normalizer::strip_right);
  } else if (type == "Prepend" && file.member(found, "prepend") == "▁") {
    rules.prefix = space_prefix::always;
    rules.marks_spaces = true;
  } else if (type == "Replace") {
    read_replacement(file, key, found, rules);
  } else if (type == "Precompiled") {
    const json& map = file.member(found, "precompiled_charsmap");
    if (map.is_null() || map == "") return;
    const auto bytes = from_base64(file.text(key + ".", found, "precompiled_charsmap"));
    if (!bytes || !rules.character_map.empty())
      file.refuse(key + ".precompiled_charsmap", map, "one table, in Base64");
    rules.character_map = *bytes;
    rules.normalizers.push_back(normalizer::precompiled);
  } else {
    file.refuse(key, found,
                "NFC, NFD, NFKC, NFKD, Lowercase, StripAccents, Nmt, Strip, Replace, Precompiled, "
                "BertNormalizer, Prepend of ▁, a Sequence of these");
  }
}

} // namespace detail
} // namespace transept::inline TRANSEPT_ABI
