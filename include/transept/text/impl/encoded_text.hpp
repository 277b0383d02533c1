// How tokens find their way back into the text that they were made of (text/encoded_text.hpp).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/text/encoded_text.hpp>
#include <transept/text/impl/tokenizer.hpp>
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
  return encode_with_spans(text, special, nullptr);
}

inline encoded_text tokenizer::encode_with_spans(std::string_view text, special_tokens special,
                                                 std::vector<std::size_t>* piece_ends) const {
  const bool allowed = special == special_tokens::allowed;
  encoded_text out;
  const auto end_piece = [&] {
    if (piece_ends != nullptr) piece_ends->push_back(out.ids.size());
  };
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
                end_piece();
              };
              const piece_listener listener(place);
              encode_normalized(inner, part_begin == 0 && inner_begin == 0, out.ids, &listener);
            },
            [&](const found_token& token) {
              out.ids.push_back(token.id);
              add(token.begin, token.end);
              end_piece();
            });
      },
      [&](const found_token& token) {
        out.ids.push_back(token.id);
        out.spans.push_back({token.begin, token.end});
        end_piece();
      });
  return out;
}

namespace detail {

/// A text, and how many tokens are there at the end of each of its pieces.
struct text_in_pieces {
  encoded_text text;
  std::vector<std::size_t> ends = {};

  std::size_t size() const { return text.ids.size(); }
  void keep(std::size_t count) {
    text.ids.resize(std::min(size(), count));
    text.spans.resize(size());
  }
  /// Tokens, counted no further than to the piece that reaches `limit`.
  std::size_t size_up_to(std::size_t limit) const {
    const auto end = std::lower_bound(ends.begin(), ends.end(), limit);
    return end == ends.end() ? size() : *end;
  }
};

/// Leaves the last tokens of one or two texts out until, with `put` others, they are no more than `most`.
inline void shorten(std::span<text_in_pieces> texts, std::size_t put, std::size_t most, truncation left_out) {
  const std::size_t room = most - put;
  if (texts.size() == 1) return texts[0].keep(room);
  const std::size_t first = texts[0].size(), second = texts[1].size();
  if (first + second <= room) return;
  if (left_out != truncation::longest_first) {
    const bool is_first = left_out == truncation::first_text;
    const std::size_t other = is_first ? second : first;
    if (other > room)
      throw argument_error("texts of " + std::to_string(first) + " and " + std::to_string(second) +
                           " tokens do not fit into " + std::to_string(room) + " by leaving out of the " +
                           (is_first ? "first" : "second") + " alone");
    return texts[is_first ? 0 : 1].keep(room - other);
  }
  // Which is the longer one Hugging Face's tokenizers say when they have counted that far.
  const bool is_first_longer = texts[0].size_up_to(most) > texts[1].size_up_to(most);
  const std::size_t shorter = std::min(first, second);
  if (2 * shorter <= room) {
    texts[first > second ? 0 : 1].keep(room - shorter);
  } else {
    texts[0].keep(room / 2 + (is_first_longer ? room % 2 : 0));
    texts[1].keep(room / 2 + (is_first_longer ? 0 : room % 2));
  }
}

} // namespace detail

TRANSEPT_FUNCTION encoded_input tokenizer::put_together(std::span<const pair_part> parts,
                                                        std::span<const std::string_view> texts,
                                                        const input_options& options) const {
  const auto special = options.allows_special ? special_tokens::allowed : special_tokens::as_text;
  std::vector<detail::text_in_pieces> encoded(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i)
    encoded[i].text = encode_with_spans(texts[i], special, &encoded[i].ends);
  const std::size_t put = parts.size() - texts.size();
  if (options.most_tokens < put)
    throw argument_error("expected room for more than " + std::to_string(put) +
                         " tokens, which a tokenizer puts around texts, found " +
                         std::to_string(options.most_tokens));
  detail::shorten(encoded, put, options.most_tokens, options.left_out);
  encoded_input all;
  const auto add = [&](token_id id, int type, int text, text_span span) {
    all.ids.push_back(id);
    all.token_types.push_back(type);
    all.texts.push_back(text);
    all.spans.push_back(span);
  };
  for (const pair_part& part : parts) {
    if (part.kind == pair_part::part_kind::token) {
      add(part.token, part.type, -1, {0, 0});
      continue;
    }
    const int text = part.kind == pair_part::part_kind::first_text ? 0 : 1;
    const encoded_text& own = encoded[static_cast<std::size_t>(text)].text;
    for (std::size_t i = 0; i < own.ids.size(); ++i) add(own.ids[i], part.type, text, own.spans[i]);
  }
  return all;
}

TRANSEPT_FUNCTION encoded_input tokenizer::encode_input(std::string_view text,
                                                        const input_options& options) const {
  std::vector<pair_part> parts = pair_template(rules_.before, {}, rules_.after, 0);
  std::erase_if(parts, [](const pair_part& part) { return part.kind == pair_part::part_kind::second_text; });
  return put_together(parts, std::array{text}, options);
}

TRANSEPT_FUNCTION encoded_input tokenizer::encode_input(std::string_view first, std::string_view second,
                                                        const input_options& options) const {
  if (rules_.pair.empty()) throw tokenizer_error("this tokenizer says nothing of two texts together");
  return put_together(rules_.pair, std::array{first, second}, options);
}

} // namespace transept::inline TRANSEPT_ABI
