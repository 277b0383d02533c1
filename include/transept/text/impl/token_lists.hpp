// How lists of tokens and merges become a vocabulary (text/token_lists.hpp).
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include <transept/core/display.hpp>
#include <transept/core/types.hpp>
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

} // namespace transept::inline TRANSEPT_ABI
