// How tokens find their way back into the text that they were made of (text/encoded_text.hpp).
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <transept/text/encoded_text.hpp>
#include <transept/text/tokenizer.hpp>
#include <transept/text/unicode.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

/// For each byte of a normalized text the characters that it comes from: the fewest that give, on their own,
/// what comes next. A space before the first is of that.
inline std::vector<text_span> origins_of(std::string_view text, std::string_view normalized,
                                         const text_normalizer& normalize) {
  constexpr int most = 8; // characters that become something together
  std::vector<text_span> origins;
  origins.reserve(normalized.size());
  const auto end_of_character = [&](std::size_t at) { return at + first_character(text.substr(at)).length; };
  if (normalize.puts_space_before() && !text.empty()) origins.push_back({0, end_of_character(0)});
  for (std::size_t at = 0; at < text.size() && origins.size() < normalized.size();) {
    const std::string_view rest = normalized.substr(origins.size());
    std::size_t end = end_of_character(at);
    std::string own;
    if (classify(text.substr(at)).kind == character_class::space) { // on its own it may be nothing
      const std::string between = normalize.of_part("x" + std::string(text.substr(at, end - at)) + "x");
      if (between.size() > 2) own = between.substr(1, between.size() - 2);
      if (!rest.starts_with(own)) own.clear(); // and beside others
    } else {
      own = normalize.of_part(text.substr(at, end - at));
    }
    for (int count = 1; !rest.starts_with(own) && count < most && end < text.size(); ++count) {
      end = end_of_character(end);
      own = normalize.of_part(text.substr(at, end - at));
    }
    if (rest.starts_with(own))
      origins.insert(origins.end(), own.size(), {at, end});
    else
      end = end_of_character(at); // lost sight of
    at = end;
  }
  origins.resize(normalized.size(), {text.size(), text.size()});
  return origins;
}

} // namespace detail

inline std::vector<text_span> tokenizer::spans_in_piece(std::string_view piece,
                                                        std::span<const token_id> ids) const {
  std::vector<text_span> spans;
  std::size_t at = 0;
  std::size_t waiting = 0; // tokens for what has none of its own
  const auto settle = [&](std::size_t end) {
    for (; waiting > 0; --waiting) {
      const std::size_t own =
          waiting == 1 || at == end ? end : at + first_character(piece.substr(at, end - at)).length;
      spans.push_back({at, own});
      at = own;
    }
  };
  for (const token_id id : ids) {
    std::string_view own = bytes(id);
    if (rules_.model == token_model::word_pieces)
      own.remove_prefix(std::min(own.find_first_not_of(' '), own.size()));
    if (!rules_.end_of_word.empty() && own.ends_with(' ')) own.remove_suffix(1);
    const std::size_t found = id == rules_.unknown ? piece.npos : piece.find(own, at);
    if (found == piece.npos) {
      ++waiting;
      continue;
    }
    if (waiting != 0) settle(found);
    spans.push_back({found, found + own.size()});
    at = found + own.size();
  }
  settle(piece.size());
  return spans;
}

TRANSEPT_FUNCTION encoded_text tokenizer::encode_with_spans(std::string_view text,
                                                            special_tokens special) const {
  const bool allowed = special == special_tokens::allowed;
  encoded_text out;
  divide(
      allowed ? allowed_ : always_, text,
      [&](std::string_view part) {
        const auto part_begin = static_cast<std::size_t>(part.data() - text.data());
        const std::string normalized = is_gpt2s_ ? std::string(part) : normalize_(part);
        const auto origins = detail::origins_of(part, normalized, normalize_);
        const auto add = [&](std::size_t begin, std::size_t end) { // of the normalized text
          begin = std::min(begin, origins.size() - 1);
          end = std::clamp(end, begin + 1, origins.size());
          out.spans.push_back({part_begin + origins[begin].begin, part_begin + origins[end - 1].end});
        };
        divide(
            allowed ? allowed_normalized_ : always_normalized_, normalized,
            [&](std::string_view inner) {
              const auto inner_begin = static_cast<std::size_t>(inner.data() - normalized.data());
              const auto place = [&](std::string_view piece, std::ptrdiff_t begin, std::size_t first) {
                const auto in_text = [&](std::size_t at) { // begin is −1 where the rules put a space there
                  const auto shifted = begin + static_cast<std::ptrdiff_t>(at);
                  return inner_begin + static_cast<std::size_t>(std::max<std::ptrdiff_t>(0, shifted));
                };
                for (const text_span& span : spans_in_piece(piece, std::span(out.ids).subspan(first)))
                  add(in_text(span.begin), in_text(span.end));
              };
              const piece_listener listener(place);
              encode_normalized(inner, part_begin == 0 && inner_begin == 0, out.ids, &listener);
            },
            [&](const found_token& token) {
              out.ids.push_back(token.id);
              add(token.begin, token.end);
            });
      },
      [&](const found_token& token) {
        out.ids.push_back(token.id);
        out.spans.push_back({token.begin, token.end});
      });
  return out;
}

} // namespace transept::inline TRANSEPT_ABI
