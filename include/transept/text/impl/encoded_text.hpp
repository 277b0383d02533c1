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

/// Finds for each byte of a normalized text the characters that it comes from: the fewest that give, on their
/// own, what comes next.
class origin_finder {
public:
  origin_finder(std::string_view text, std::string_view normalized, const text_normalizer& normalize)
      : text_(text), normalized_(normalized), normalize_(normalize) {}

  std::vector<text_span> find() {
    origins_.reserve(normalized_.size());
    if (normalize_.puts_space_before() && !text_.empty()) origins_.push_back({0, behind(0)}); // of the first
    for (std::size_t at = 0; at < text_.size() && origins_.size() < normalized_.size();) at = find_from(at);
    origins_.resize(normalized_.size(), {text_.size(), text_.size()});
    return std::move(origins_);
  }

private:
  static constexpr int most = 8; // characters that become something together

  std::size_t behind(std::size_t at) const { return at + first_character(text_.substr(at)).length; }

  /// What comes next that has no origin yet.
  std::string_view rest() const { return normalized_.substr(origins_.size()); }

  /// What part of the text becomes between letters; on their own spaces may be nothing.
  std::string own_of(std::size_t begin, std::size_t end) const {
    const std::string part(text_.substr(begin, end - begin));
    const std::string between = normalize_.of_part("x" + part + "x");
    if (between.size() > 1 && between.starts_with('x') && between.ends_with('x'))
      return between.substr(1, between.size() - 2);
    return normalize_.of_part(part); // it joins the letter
  }

  void add(std::size_t count, std::size_t begin, std::size_t end) {
    origins_.insert(origins_.end(), count, {begin, end});
  }

  /// Finds where the character at `at`, alone or with others, went to; where the next one begins.
  std::size_t find_from(std::size_t at) {
    const auto lead = static_cast<unsigned char>(text_[at]);
    const bool is_plain = lead < 0x80 && lead != ' ' && text_[at] == rest()[0] &&
                          (at + 1 == text_.size() || static_cast<unsigned char>(text_[at + 1]) < 0x80);
    if (is_plain && !normalize_.has_replacements()) {
      add(1, at, at + 1);
      return at + 1;
    }
    std::size_t end = behind(at);
    std::string own = own_of(at, end);
    if (!rest().starts_with(own)) own.erase(0, own.find_first_not_of(' ')); // beside another space
    for (int count = 1; !rest().starts_with(own) && count < most && end < text_.size(); ++count) {
      end = behind(end);
      own = own_of(at, end);
    }
    if (!rest().starts_with(own)) return skip(at);
    add(own.size(), at, end);
    return end;
  }

  /// More characters than `most` became something together: on to what is seen again.
  std::size_t skip(std::size_t at) {
    std::size_t end = behind(at);
    while (end < text_.size() && static_cast<unsigned char>(text_[end]) >= 0x80) end = behind(end);
    const std::string next = end < text_.size() ? own_of(end, end + 1) : std::string();
    const std::size_t length =
        next.empty() ? std::string_view::npos : rest().substr(0, 4 * (end - at) + 16).find(next);
    if (length == std::string_view::npos) return behind(at);
    add(length, at, end);
    return end;
  }

  std::string_view text_, normalized_;
  const text_normalizer& normalize_;
  std::vector<text_span> origins_;
};

/// The same where nothing changed a text.
inline std::vector<text_span> origins_in(std::string_view text) {
  std::vector<text_span> origins;
  origins.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = at + first_character(text.substr(at)).length;
    origins.insert(origins.end(), end - at, {at, end});
    at = end;
  }
  return origins;
}

/// Encodes texts and finds their tokens in them.
class span_finder {
public:
  explicit span_finder(const tokenizer& of) : of_(of) {}

  /// `piece_ends`, if any: how many tokens are there at the end of each piece.
  encoded_text encode(std::string_view text, special_tokens special,
                      std::vector<std::size_t>* piece_ends = nullptr) const;

private:
  /// Where a piece's tokens are in it.
  std::vector<text_span> in_piece(std::string_view piece, std::span<const token_id> ids) const;

  const tokenizer& of_;
};

inline std::vector<text_span> span_finder::in_piece(std::string_view piece,
                                                    std::span<const token_id> ids) const {
  const text_rules& rules = of_.rules();
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
  const auto behind_dropped = [&](std::size_t from) { // bytes that have no token
    while (from < piece.size() && of_.byte_tokens_[static_cast<unsigned char>(piece[from])] == no_token)
      ++from;
    return from;
  };
  for (const token_id id : ids) {
    std::string_view own = of_.bytes(id);
    if (rules.drops_unknown && !rules.by_characters && id != rules.unknown) { // merged across what is dropped
      const std::size_t begin = at = behind_dropped(at);
      for (std::size_t i = 0; i < own.size(); ++i) at = std::min(behind_dropped(at) + 1, piece.size());
      spans.push_back({begin, at});
      continue;
    }
    if (rules.model == token_model::word_pieces)
      own.remove_prefix(std::min(own.find_first_not_of(' '), own.size()));
    if (!rules.end_of_word.empty() && own.ends_with(' ')) own.remove_suffix(1);
    const std::size_t found = id == rules.unknown ? piece.npos : piece.find(own, at);
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

inline encoded_text span_finder::encode(std::string_view text, special_tokens special,
                                        std::vector<std::size_t>* piece_ends) const {
  const bool allowed = special == special_tokens::allowed;
  encoded_text out;
  const auto end_piece = [&] {
    if (piece_ends != nullptr) piece_ends->push_back(out.ids.size());
  };
  of_.divide(
      allowed ? of_.allowed_ : of_.always_, text,
      [&](std::string_view part) {
        const auto part_begin = static_cast<std::size_t>(part.data() - text.data());
        const std::string normalized = of_.normalize_(part);
        const auto origins =
            normalized == part ? origins_in(part) : origin_finder(part, normalized, of_.normalize_).find();
        const auto add = [&](std::size_t begin, std::size_t end) { // of the normalized text
          begin = std::min(begin, origins.size() - 1);
          end = std::clamp(end, begin + 1, origins.size());
          out.spans.push_back({part_begin + origins[begin].begin, part_begin + origins[end - 1].end});
        };
        of_.divide(
            allowed ? of_.allowed_normalized_ : of_.always_normalized_, normalized,
            [&](std::string_view inner) {
              const auto inner_begin = static_cast<std::size_t>(inner.data() - normalized.data());
              const auto place = [&](const tokenizer::placed_piece& each) {
                const auto in_text =
                    [&](std::size_t at) { // a space that was put there goes with what follows
                      return inner_begin +
                             static_cast<std::size_t>(std::max<std::ptrdiff_t>(0, each.place(at)));
                    };
                for (const text_span& span : in_piece(each.piece, std::span(out.ids).subspan(each.first)))
                  add(in_text(span.begin), in_text(span.end));
                end_piece();
              };
              const tokenizer::piece_listener listener(place);
              of_.encode_normalized(inner, part_begin == 0 && inner_begin == 0, out.ids, &listener);
            },
            [&](const tokenizer::found_token& token) {
              out.ids.push_back(token.id);
              add(token.begin, token.end);
              end_piece();
            });
      },
      [&](const tokenizer::found_token& token) {
        out.ids.push_back(token.id);
        out.spans.push_back({token.begin, token.end});
        end_piece();
      });
  return out;
}

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

/// The parts of a template, filled with texts that are not too long.
inline encoded_input put_together(const tokenizer& tokenizer, std::span<const pair_part> parts,
                                  std::span<const std::string_view> texts, const input_options& options) {
  const auto special = options.allows_special ? special_tokens::allowed : special_tokens::as_text;
  std::vector<text_in_pieces> encoded(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i)
    encoded[i].text = span_finder(tokenizer).encode(texts[i], special, &encoded[i].ends);
  const std::size_t put = parts.size() - texts.size();
  if (options.most_tokens < put)
    throw argument_error("expected room for more than " + std::to_string(put) +
                         " tokens, which a tokenizer puts around texts, found " +
                         std::to_string(options.most_tokens));
  shorten(encoded, put, options.most_tokens, options.left_out);
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

} // namespace detail

TRANSEPT_FUNCTION encoded_text encode_with_spans(const tokenizer& tokenizer, std::string_view text,
                                                 special_tokens special) {
  return detail::span_finder(tokenizer).encode(text, special);
}

TRANSEPT_FUNCTION encoded_input encode_input(const tokenizer& tokenizer, std::string_view text,
                                             const input_options& options) {
  const text_rules& rules = tokenizer.rules();
  if (!rules.single.empty()) return detail::put_together(tokenizer, rules.single, std::array{text}, options);
  std::vector<pair_part> parts = pair_template(rules.before, {}, rules.after, 0);
  std::erase_if(parts, [](const pair_part& part) { return part.kind == pair_part::part_kind::second_text; });
  return detail::put_together(tokenizer, parts, std::array{text}, options);
}

TRANSEPT_FUNCTION encoded_input encode_input(const tokenizer& tokenizer, std::string_view first,
                                             std::string_view second, const input_options& options) {
  const text_rules& rules = tokenizer.rules();
  if (rules.pair.empty()) throw tokenizer_error("this tokenizer says nothing of two texts together");
  return detail::put_together(tokenizer, rules.pair, std::array{first, second}, options);
}

} // namespace transept::inline TRANSEPT_ABI
