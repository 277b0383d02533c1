// How lists of tokens and merges become a vocabulary (text/token_lists.hpp).
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <transept/core/display.hpp>
#include <transept/core/types.hpp>
#include <transept/text/byte_alphabet.hpp>
#include <transept/text/impl/space_mark.hpp>
#include <transept/text/impl/vocabulary_builder.hpp>
#include <transept/text/token_lists.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION vocabulary read_token_lists(const token_lists& lists) {
  detail::vocabulary_builder builder(lists.rules);
  const auto has_kind = [&](std::size_t i, token_kind kind) {
    return i < lists.kinds.size() && lists.kinds[i] == static_cast<std::int64_t>(kind);
  };
  bool bytes = false;
  for (std::size_t i = 0; i < lists.kinds.size(); ++i) bytes = bytes || has_kind(i, token_kind::byte);
  builder.bytes_fall_back(bytes);
  if (!lists.kinds.empty() && lists.kinds.size() != lists.tokens.size())
    builder.fail(lists.source, "expected as many token types as tokens, " +
                                   std::to_string(lists.tokens.size()) + ", found " +
                                   std::to_string(lists.kinds.size()));
  if (lists.tokens.size() > static_cast<std::size_t>(std::numeric_limits<token_id>::max()))
    builder.fail(lists.source,
                 "expected ids of 31 bits, found " + std::to_string(lists.tokens.size()) + " tokens");
  for (std::size_t i = 0; i < lists.tokens.size(); ++i)
    builder.add_token(std::string(lists.tokens[i]), static_cast<token_id>(i), lists.source);
  for (std::size_t i = 0; i < lists.kinds.size(); ++i) {
    const std::int64_t kind = lists.kinds[i];
    if (kind < 1 || kind > 6)
      builder.fail(lists.source, "token " + quoted(lists.tokens[i]) +
                                     ": expected a type from 1 to 6, found " + std::to_string(kind));
    const bool special = kind == static_cast<std::int64_t>(token_kind::control);
    if (special || kind == static_cast<std::int64_t>(token_kind::user_defined))
      builder.add_added(std::string(lists.tokens[i]), static_cast<token_id>(i),
                        {.id = static_cast<token_id>(i), .special = special}, lists.source);
  }
  for (std::size_t i = 0; i < lists.merges.size(); ++i)
    detail::add_merge_line(builder, lists.merges[i], lists.source + ": merge " + std::to_string(i));
  if (!lists.scores.empty()) {
    if (lists.scores.size() != lists.tokens.size())
      builder.fail(lists.source, "expected as many scores as tokens, " + std::to_string(lists.tokens.size()) +
                                     ", found " + std::to_string(lists.scores.size()));
    for (std::size_t i = 0; i < lists.scores.size(); ++i) {
      if (std::isnan(lists.scores[i]))
        builder.fail(lists.source, "the score of token " + quoted(lists.tokens[i]) + " is no number");
      const bool is_made = !has_kind(i, token_kind::control) && !has_kind(i, token_kind::unknown) &&
                           !has_kind(i, token_kind::byte) && !has_kind(i, token_kind::unused);
      if (is_made) builder.add_merges_of(std::string(lists.tokens[i]), lists.scores[i]);
    }
    builder.rank_merges_by_score();
  }
  return builder.finish();
}

namespace detail {

/// A token that was not added, and its kind.
inline std::pair<std::string, token_kind> written_token(const vocabulary& from, token_id id) {
  const std::string& bytes = from.tokens[static_cast<std::size_t>(id)];
  if (!from.rules.by_characters) return {to_byte_alphabet(bytes), token_kind::normal};
  const bool is_byte = bytes.size() == 1 && from.byte_tokens[static_cast<unsigned char>(bytes[0])] == id;
  if (is_byte) {
    constexpr const char* digits = "0123456789ABCDEF";
    const auto byte = static_cast<unsigned char>(bytes[0]);
    return {std::string("<0x") + digits[byte >> 4] + digits[byte & 15] + ">", token_kind::byte};
  }
  return {from.rules.marks_spaces ? with_space_marks(bytes) : bytes, token_kind::normal};
}

} // namespace detail

TRANSEPT_FUNCTION written_tokens written_tokens_of(const vocabulary& from) {
  written_tokens made;
  for (std::size_t id = 0; id < from.tokens.size(); ++id) {
    auto [symbol, kind] = detail::written_token(from, static_cast<token_id>(id));
    made.symbols.push_back(std::move(symbol));
    made.kinds.push_back(static_cast<std::int32_t>(kind));
  }
  for (const added_token& added : from.added) {
    const auto id = static_cast<std::size_t>(added.id);
    if (made.kinds[id] == static_cast<std::int32_t>(token_kind::byte)) continue;
    made.symbols[id] = added.text.empty() ? from.tokens[id] : added.text;
    made.kinds[id] =
        static_cast<std::int32_t>(added.special ? token_kind::control : token_kind::user_defined);
  }
  if (from.rules.unknown)
    made.kinds[static_cast<std::size_t>(*from.rules.unknown)] =
        static_cast<std::int32_t>(token_kind::unknown);
  return made;
}

} // namespace transept::inline TRANSEPT_ABI
