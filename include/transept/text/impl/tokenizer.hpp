// How text becomes tokens, and tokens text (text/tokenizer.hpp).
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>

#include <transept/core/display.hpp>
#include <transept/core/error.hpp>
#include <transept/text/impl/space_mark.hpp>
#include <transept/text/normalization.hpp>
#include <transept/text/pre_tokenize.hpp>
#include <transept/text/tokenizer.hpp>
#include <transept/text/unicode.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION tokenizer::tokenizer(const vocabulary& from)
    : pairs_(from.byte_tokens, from.merges),
      note_(from.note),
      rules_(from.rules),
      normalize_(from.rules),
      splitter_(from.rules.steps),
      special_(from.tokens.size()),
      characters_(from.characters),
      last_characters_(from.last_characters),
      byte_tokens_(from.byte_tokens) {
  offsets_.reserve(from.tokens.size() + 1);
  offsets_.push_back(0);
  for (const std::string& token : from.tokens) {
    bytes_.insert(bytes_.end(), token.begin(), token.end());
    offsets_.push_back(bytes_.size());
    longest_ = std::max(longest_, token.size());
  }
  check(from);
  lacks_bytes_ = std::ranges::count(from.byte_tokens, no_token) != 0;
  if (rules_.model == token_model::unigram)
    unigram_ = unigram(from.pieces, from.unknown_score, rules_.single_precision);
  if (rules_.model == token_model::word_pieces)
    word_pieces_ = word_pieces(from.pieces, from.inner_pieces, rules_.most_characters);
  add_tokens(from.added);
  is_gpt2s_ = rules_.model == token_model::byte_pairs && rules_.normalizers.empty() &&
              rules_.prefix == space_prefix::none && !rules_.by_characters && !rules_.takes_whole_pieces &&
              rules_.steps == std::vector{splitting::gpt2} && allowed_normalized_.tokens.empty();
  for (auto* const table : {&characters_, &last_characters_})
    std::sort(table->begin(), table->end(),
              [](const character_token& a, const character_token& b) { return a.character < b.character; });
  ascii_.fill(no_token);
  for (const character_token& each : characters_)
    if (each.character < ascii_.size()) ascii_[each.character] = each.token;
  if (rules_.takes_whole_pieces) {
    whole_.assign(std::bit_ceil(2 * from.tokens.size() + 2), no_token);
    std::vector<bool> is_added(from.tokens.size());
    for (const added_token& each : from.added) is_added[static_cast<std::size_t>(each.id)] = true;
    for (std::size_t id = 0; id < from.tokens.size(); ++id)
      if (!is_added[id]) whole_[place_of(from.tokens[id])] = static_cast<token_id>(id);
  }
  // Pieces are cut where no merge crosses; not if a character's token depends on what is beside it.
  cuts_pieces_ = rules_.model == token_model::byte_pairs && rules_.end_of_word.empty() &&
                 !rules_.drops_unknown && !(lacks_bytes_ && rules_.unknown && rules_.fuses_unknown);
  crossed_.resize(1u << 16);
  for (const token_merge& merge : from.merges) {
    // An unknown token's bytes are not those of the text that it stands for.
    if (lacks_bytes_ && (merge.left == rules_.unknown || merge.right == rules_.unknown)) cuts_pieces_ = false;
    const std::string_view left = bytes(merge.left), right = bytes(merge.right);
    if (!left.empty() && !right.empty()) crossed_[pair_index(left.back(), right.front())] = true;
  }
}

inline void tokenizer::add_tokens(const std::vector<added_token>& added) {
  // SentencePiece leaves them as they are in what it normalizes.
  const bool are_kept = std::find(rules_.normalizers.begin(), rules_.normalizers.end(),
                                  normalizer::sentence_piece) != rules_.normalizers.end();
  const auto gather = [&](added_set& set, bool special, bool normalized) {
    std::vector<std::string> texts;
    for (const added_token& each : added) {
      if (each.normalized != normalized || (each.special && !special)) continue;
      const std::string text(each.text.empty() ? bytes(each.id) : std::string_view(each.text));
      texts.push_back(normalized && !are_kept ? normalize_(text) : text);
      if (texts.back().empty()) { // what nothing is left of is not to be found
        texts.pop_back();
        continue;
      }
      set.tokens.push_back(each);
    }
    set.matcher = string_matcher(texts);
  };
  for (const added_token& each : added) {
    if (bytes(each.id) == end_of_text_text) end_of_text_ = each.id;
    if (each.special) special_[static_cast<std::size_t>(each.id)] = true;
  }
  gather(always_, false, false);
  gather(allowed_, true, false);
  gather(always_normalized_, false, true);
  gather(allowed_normalized_, true, true);
}

TRANSEPT_FUNCTION std::vector<token_id> tokenizer::encode(std::string_view text,
                                                          special_tokens special) const {
  const bool allowed = special == special_tokens::allowed;
  std::vector<token_id> out;
  out.reserve(text.size() / 4 + 1);
  divide(
      allowed ? allowed_ : always_, text,
      [&](std::string_view part) {
        const bool begins = part.data() == text.data();
        if (is_gpt2s_) return encode_pieces(part, out);
        const std::string normalized = normalize_(part);
        divide(
            allowed ? allowed_normalized_ : always_normalized_, normalized,
            [&](std::string_view inner) {
              encode_normalized(inner, begins && inner.data() == normalized.data(), out);
            },
            [&](const found_token& token) { out.push_back(token.id); });
      },
      [&](const found_token& token) { out.push_back(token.id); });
  return out;
}

TRANSEPT_FUNCTION std::vector<token_id> tokenizer::encode_prompt(std::string_view text,
                                                                 special_tokens special) const {
  std::vector<token_id> all = rules_.before;
  const std::vector<token_id> tokens = encode(text, special);
  all.insert(all.end(), tokens.begin(), tokens.end());
  all.insert(all.end(), rules_.after.begin(), rules_.after.end());
  return all;
}

TRANSEPT_FUNCTION bool tokenizer::may_cut_before(std::string_view text, std::size_t at,
                                                 special_tokens special) const {
  const bool allowed = special == special_tokens::allowed;
  if (may_meet((allowed ? allowed_ : always_).matcher, text, at)) return false;
  if (is_gpt2s_) return transept::may_cut_before(text, at);
  // What a normalizer or a prefix would do at a part's beginning is more than this looks at.
  const bool whole_parts = rules_.prefix != space_prefix::none || !rules_.normalizers.empty() ||
                           !(allowed ? allowed_normalized_ : always_normalized_).matcher.empty();
  return !whole_parts && splitter_.may_cut_before(text, at);
}

TRANSEPT_FUNCTION std::string tokenizer::decode(std::span<const token_id> tokens,
                                                decoded_tokens which) const {
  std::string text;
  for (const token_id token : tokens) text += text_of(token, which);
  const bool has_prefix =
      (rules_.by_characters || rules_.model == token_model::unigram) && rules_.prefix != space_prefix::none;
  if ((has_prefix || rules_.model == token_model::word_pieces) && text.starts_with(' ')) text.erase(0, 1);
  if (!rules_.end_of_word.empty() && text.ends_with(' ')) text.pop_back();
  return text;
}

TRANSEPT_FUNCTION std::string_view tokenizer::text_of(token_id token, decoded_tokens which) const {
  if (token >= 0 && !has(token)) return {}; // of a model with a padded vocabulary
  const std::string_view own = bytes(token);
  return which == decoded_tokens::without_special && is_special(token) ? std::string_view() : own;
}

TRANSEPT_FUNCTION bool tokenizer::is_special(token_id token) const {
  (void)bytes(token); // throws
  return special_[static_cast<std::size_t>(token)];
}

TRANSEPT_FUNCTION std::string_view tokenizer::bytes(token_id token) const {
  if (token < 0 || static_cast<std::size_t>(token) >= vocabulary_size()) {
    throw tokenizer_error("token id " + std::to_string(token) + " is not in the vocabulary: it has " +
                          std::to_string(vocabulary_size()) + " tokens, from id 0 on");
  }
  const auto index = static_cast<std::size_t>(token);
  return {bytes_.data() + offsets_[index], offsets_[index + 1] - offsets_[index]};
}

TRANSEPT_FUNCTION std::optional<tokenizer::found_string> tokenizer::find_leftmost(
    const string_matcher& matcher, std::string_view text, std::size_t from) {
  std::optional<found_string> best;
  if (matcher.empty()) return best;
  string_matcher::state at = string_matcher::start;
  for (std::size_t end = from + 1; end <= text.size(); ++end) {
    at = matcher.step(at, text[end - 1]);
    if (const std::size_t length = matcher.match_length(at)) {
      // Matches end later and later, so one that begins no later is longer.
      if (!best || end - length <= best->begin) best = {matcher.match(at), end - length, end};
    }
    if (best && end - matcher.depth(at) > best->begin) break;
  }
  return best;
}

TRANSEPT_FUNCTION bool tokenizer::may_meet(const string_matcher& matcher, std::string_view text,
                                           std::size_t at) const {
  if (matcher.empty()) return false;
  string_matcher::state state = string_matcher::start;
  for (std::size_t i = at - std::min(at, longest_); i < text.size(); ++i) {
    state = matcher.step(state, text[i]);
    if (i < at) continue;
    if (i + 1 - matcher.match_length(state) <= at + 1 && matcher.match_length(state) != 0) return true;
    if (i > at && i + 1 - matcher.depth(state) > at + 1) return false;
  }
  return true;
}

inline std::optional<tokenizer::found_token> tokenizer::find_token(const added_set& set,
                                                                   std::string_view text,
                                                                   std::size_t from) const {
  const auto is_space = [&](std::size_t at) {
    return classify(text.substr(at)).kind == character_class::space;
  };
  for (std::size_t start = from;;) {
    const auto found = find_leftmost(set.matcher, text, start);
    if (!found) return std::nullopt;
    start = found->end;
    const added_token& token = set.tokens[found->string];
    if (token.single_word && (is_in_word(text, found->begin, found->end))) continue;
    std::size_t begin = found->begin, end = found->end;
    if (token.lstrip)
      while (begin > from) {
        const std::size_t before = detail::start_of_last_character(text.substr(0, begin));
        if (before < from || !is_space(before)) break;
        begin = before;
      }
    if (token.rstrip)
      while (end < text.size() && is_space(end)) end += classify(text.substr(end)).length;
    return found_token{token.id, begin, end};
  }
}

inline bool tokenizer::is_in_word(std::string_view text, std::size_t begin, std::size_t end) {
  const auto is_of_word = [](std::string_view at) {
    return is_word_character(static_cast<char32_t>(first_character(at).code_point));
  };
  return (begin > 0 && is_of_word(text.substr(detail::start_of_last_character(text.substr(0, begin))))) ||
         (end < text.size() && is_of_word(text.substr(end)));
}

template <class Between, class Found>
void tokenizer::divide(const added_set& set, std::string_view text, Between between, Found found) const {
  std::size_t from = 0;
  while (const auto token = find_token(set, text, from)) {
    if (token->begin != from) between(text.substr(from, token->begin - from));
    found(*token);
    from = token->end;
  }
  if (from != text.size()) between(text.substr(from));
}

inline void tokenizer::encode_normalized(std::string_view text, bool begins, std::vector<token_id>& out,
                                         const piece_listener* listener) const {
  if (rules_.prefixes_words) return encode_words(text, begins, out, listener);
  const bool wants_space =
      rules_.prefix == space_prefix::unless_there || (rules_.prefix == space_prefix::first_of_text && begins);
  if (wants_space && !text.empty() && text[0] != ' ')
    return encode_pieces(" " + std::string(text), out, listener, 1);
  encode_pieces(text, out, listener);
}

inline void tokenizer::encode_words(std::string_view text, bool begins, std::vector<token_id>& out,
                                    const piece_listener* listener) const {
  const auto is_space = [&](std::size_t at) {
    return classify(text.substr(at)).kind == character_class::space;
  };
  const bool is_always = rules_.prefix == space_prefix::always || rules_.prefix == space_prefix::unless_there;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t start = at;
    const bool is_word = !is_space(at);
    while (at < text.size() && is_space(at) != is_word) at += classify(text.substr(at)).length;
    if (!is_word) continue;
    std::string word = detail::with_spaces(text.substr(start, at - start));
    const bool wants_space =
        is_always || (rules_.prefix == space_prefix::first_of_text && begins && start == 0);
    const bool puts_space = wants_space && word[0] != ' ';
    if (puts_space) word.insert(0, 1, ' ');
    if (listener == nullptr) {
      encode_pieces(word, out);
      continue;
    }
    std::vector<std::ptrdiff_t> places; // of the word's bytes and its end in the text, where a ▁ is longer
    if (puts_space) places.push_back(static_cast<std::ptrdiff_t>(start)); // with what follows
    for (std::size_t from = start; from < at;) {
      places.push_back(static_cast<std::ptrdiff_t>(from));
      from += text.substr(from).starts_with(detail::space_mark) ? detail::space_mark.size() : 1;
    }
    places.push_back(static_cast<std::ptrdiff_t>(at));
    const auto place = [&](const placed_piece& each) {
      const auto own = std::span<const std::ptrdiff_t>(places).subspan(static_cast<std::size_t>(each.begin),
                                                                       each.piece.size() + 1);
      (*listener)({each.piece, own.front(), own, each.first});
    };
    const piece_listener in_word(place);
    encode_pieces(word, out, &in_word);
  }
}

TRANSEPT_FUNCTION void tokenizer::encode_pieces(std::string_view text, std::vector<token_id>& out,
                                                const piece_listener* listener, std::ptrdiff_t before) const {
  if (listener != nullptr)
    return splitter_.split(text, [&](std::string_view piece) {
      const std::size_t first = out.size();
      encode_piece(piece, out);
      (*listener)({piece, piece.data() - text.data() - before, {}, first});
    });
  const auto encode_one = [&](std::string_view piece) { encode_piece(piece, out); };
  if (is_gpt2s_) return pre_tokenize(text, encode_one);
  splitter_.split(text, encode_one);
}

inline void tokenizer::encode_piece(std::string_view piece, std::vector<token_id>& out) const {
  if (rules_.takes_whole_pieces) {
    if (const token_id whole = whole_[place_of(piece)]; whole != no_token) return out.push_back(whole);
  }
  if (rules_.model == token_model::unigram)
    return unigram_.encode(
        piece, [&](std::string_view run) { add_unknown(run, out); }, out);
  if (rules_.model == token_model::word_pieces) {
    if (!word_pieces_.encode(piece, out)) add_unknown(piece, out);
    return;
  }
  if (!cuts_pieces_ || piece.size() <= byte_pairs::short_piece) return encode_uncut(piece, out);
  for (std::size_t start = 0; start < piece.size();) {
    std::size_t end = start + 1;
    while (end < piece.size() && may_be_crossed(piece, end)) ++end;
    encode_uncut(piece.substr(start, end - start), out);
    start = end;
  }
}

inline bool tokenizer::may_be_crossed(std::string_view piece, std::size_t at) const {
  const bool in_character = rules_.by_characters && (static_cast<unsigned char>(piece[at]) & 0xc0u) == 0x80u;
  return in_character || crossed_[pair_index(piece[at - 1], piece[at])];
}

inline void tokenizer::encode_uncut(std::string_view piece, std::vector<token_id>& out) const {
  if (rules_.by_characters) return encode_characters(piece, out);
  if (rules_.drops_unknown) {
    const auto lacks = [&](char byte) { return byte_tokens_[static_cast<unsigned char>(byte)] == no_token; };
    if (std::any_of(piece.begin(), piece.end(), lacks)) return encode_characters(piece, out);
  }
  const std::size_t first = out.size();
  pairs_.encode(piece, out);
  if (lacks_bytes_ &&
      std::ranges::find(out.begin() + static_cast<std::ptrdiff_t>(first), out.end(), no_token) != out.end())
    throw tokenizer_error("the vocabulary lacks a character of " + quoted(piece));
}

TRANSEPT_FUNCTION void tokenizer::add_unknown(std::string_view run, std::vector<token_id>& out) const {
  const auto byte_token = [&](char byte) { return byte_tokens_[static_cast<unsigned char>(byte)]; };
  if (std::none_of(run.begin(), run.end(), [&](char byte) { return byte_token(byte) == no_token; })) {
    for (const char byte : run) out.push_back(byte_token(byte));
    return;
  }
  if (!rules_.unknown) throw tokenizer_error("the vocabulary lacks a character of " + quoted(run));
  std::size_t count = 0; // as many as there are characters, or one
  for (std::size_t at = 0; at < run.size() && (count == 0 || !rules_.fuses_unknown); ++count)
    at += first_character(run.substr(at)).length;
  out.insert(out.end(), count, *rules_.unknown);
}

TRANSEPT_FUNCTION void tokenizer::encode_characters(std::string_view piece,
                                                    std::vector<token_id>& out) const {
  std::vector<token_id> symbols;
  symbols.reserve(piece.size());
  bool was_unknown = false;
  for (std::size_t at = 0; at < piece.size();) {
    const character next = first_character(piece.substr(at));
    const std::string_view own = piece.substr(at, next.length);
    at += next.length;
    const token_id token = next.code_point == character::not_utf8 || !rules_.by_characters
                               ? no_token
                               : token_of(static_cast<char32_t>(next.code_point), at == piece.size());
    const auto byte_token = [&](char byte) { return byte_tokens_[static_cast<unsigned char>(byte)]; };
    const bool has_bytes =
        std::none_of(own.begin(), own.end(), [&](char byte) { return byte_token(byte) == no_token; });
    const bool is_unknown = token == no_token && !has_bytes;
    if (token != no_token) {
      symbols.push_back(token);
    } else if (has_bytes) {
      for (const char byte : own) symbols.push_back(byte_token(byte));
    } else if (rules_.drops_unknown && !rules_.unknown) {
      for (const char byte : own)
        if (byte_token(byte) != no_token) symbols.push_back(byte_token(byte));
    } else if (!rules_.unknown) {
      throw tokenizer_error("the vocabulary lacks a character of " + quoted(piece));
    } else if (!was_unknown || !rules_.fuses_unknown) {
      symbols.push_back(*rules_.unknown);
    }
    was_unknown = is_unknown;
  }
  pairs_.merge(symbols, out);
}

inline token_id tokenizer::token_of(char32_t character, bool is_last) const {
  const bool as_last = is_last && !rules_.end_of_word.empty();
  if (!as_last && character < ascii_.size()) return ascii_[character];
  const std::vector<character_token>& table = as_last ? last_characters_ : characters_;
  const auto found =
      std::lower_bound(table.begin(), table.end(), character,
                       [](const character_token& each, char32_t wanted) { return each.character < wanted; });
  return found != table.end() && found->character == character ? found->token : no_token;
}

inline std::size_t tokenizer::place_of(std::string_view wanted) const {
  std::size_t at = std::hash<std::string_view>{}(wanted) & (whole_.size() - 1);
  while (whole_[at] != no_token && bytes(whole_[at]) != wanted) at = (at + 1) & (whole_.size() - 1);
  return at;
}

TRANSEPT_FUNCTION void tokenizer::check(const vocabulary& from) const {
  for (const added_token& each : from.added) (void)bytes(each.id); // throws
  for (const auto* const ids : {&rules_.before, &rules_.after})
    for (const token_id id : *ids) (void)bytes(id);
  if (rules_.unknown) (void)bytes(*rules_.unknown);
  for (const auto* const parts : {&rules_.single, &rules_.pair}) {
    if (parts->empty()) continue;
    std::size_t texts = 0;
    for (const pair_part& part : *parts)
      if (part.kind == pair_part::part_kind::token)
        (void)bytes(part.token);
      else
        ++texts;
    const std::size_t expected = parts == &rules_.pair ? 2 : 1;
    if (texts != expected)
      throw tokenizer_error("expected a template with " + std::to_string(expected) + " texts, found " +
                            std::to_string(texts));
  }
  for (std::size_t byte = 0; byte < 256; ++byte) {
    if (from.byte_tokens[byte] == no_token) continue;
    const char expected = static_cast<char>(byte);
    if (bytes(from.byte_tokens[byte]) != std::string_view(&expected, 1)) {
      throw tokenizer_error("token " + std::to_string(from.byte_tokens[byte]) + " should be the byte " +
                            std::to_string(byte) + " alone");
    }
  }
  for (const token_merge& merge : from.merges) {
    const std::string_view whole = bytes(merge.merged), left = bytes(merge.left), right = bytes(merge.right);
    if (!(whole.starts_with(left) && whole.substr(left.size()) == right)) {
      throw tokenizer_error("tokens " + std::to_string(merge.left) + " and " + std::to_string(merge.right) +
                            " do not make token " + std::to_string(merge.merged));
    }
  }
}

} // namespace transept::inline TRANSEPT_ABI
