// What the tokens of WordPiece and of unigram models are in a text.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <transept/text/impl/space_mark.hpp>
#include <transept/text/vocabulary.hpp>

namespace transept::inline TRANSEPT_ABI {
namespace detail {

/// What of BERT's normalizer is wanted.
struct bert_normalizer {
  bool cleans, sets_ideographs_apart, strips_accents, lower_case;
};

/// Its steps, in their order.
inline std::vector<normalizer> bert_normalizers(const bert_normalizer& wanted) {
  std::vector<normalizer> steps;
  if (wanted.cleans) steps.push_back(normalizer::clean);
  if (wanted.sets_ideographs_apart) steps.push_back(normalizer::ideographs);
  if (wanted.strips_accents) steps.push_back(normalizer::accents);
  if (wanted.lower_case) steps.push_back(normalizer::lower_case);
  return steps;
}

/// A token with the space before it, as Hugging Face's WordPiece decoder tidies it.
inline std::string tidied(std::string token) {
  static constexpr std::pair<std::string_view, std::string_view> all[] = {
      {" .", "."},   {" ?", "?"},           {" !", "!"},   {" ,", ","},     {" ' ", "'"},   {" n't", "n't"},
      {" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  for (const auto& [from, to] : all)
    for (std::size_t at = 0; (at = token.find(from, at)) != token.npos; at += to.size())
      token.replace(at, from.size(), to);
  return token;
}

/// Makes the pieces of a vocabulary whose tokens are as files write them, and gives its tokens the space that
/// a text has before them. `part_of(token)`: whether it goes on with a word, and its letters. `tidies`:
/// before punctuation there is no space.
template <class F>
void make_word_pieces_if(vocabulary& made, bool tidies, F&& part_of) {
  std::vector<bool> is_text(made.tokens.size(), true); // special tokens are made of no text
  for (added_token& each : made.added) {
    const auto id = static_cast<std::size_t>(each.id);
    if (each.text.empty()) each.text = made.tokens[id];
    is_text[id] = !each.special;
  }
  if (made.rules.unknown) is_text[static_cast<std::size_t>(*made.rules.unknown)] = false;
  for (std::size_t id = 0; id < made.tokens.size(); ++id) {
    std::string& token = made.tokens[id];
    const auto [goes_on, letters] = part_of(std::string_view(token));
    if (is_text[id] && !letters.empty())
      (goes_on ? made.inner_pieces : made.pieces)
          .push_back({std::string(letters), static_cast<token_id>(id)});
    token = (goes_on && is_text[id] ? "" : " ") + std::string(is_text[id] ? letters : token);
    if (tidies) token = tidied(std::move(token));
  }
  made.rules.model = token_model::word_pieces;
  made.rules.by_characters = false;
  made.rules.fuses_unknown = true; // a word is one
  made.characters.clear();
}

/// Of tokens that go on with a word where `prefix`, mostly "##", is before them.
inline void make_word_pieces(vocabulary& made, std::string_view prefix, bool tidies) {
  std::vector<scored_piece> as_written; // a word may also begin with the prefix
  for (std::size_t id = 0; id < made.tokens.size(); ++id)
    if (made.tokens[id].starts_with(prefix))
      as_written.push_back({made.tokens[id], static_cast<token_id>(id)});
  make_word_pieces_if(made, tidies, [&](std::string_view token) {
    const bool goes_on = token.size() > prefix.size() && token.starts_with(prefix);
    return std::pair(goes_on, goes_on ? token.substr(prefix.size()) : token);
  });
  std::vector<bool> is_inner(made.tokens.size());
  for (const scored_piece& each : made.inner_pieces) is_inner[static_cast<std::size_t>(each.token)] = true;
  for (scored_piece& each : as_written)
    if (is_inner[static_cast<std::size_t>(each.token)]) made.pieces.push_back(std::move(each));
}

/// Of tokens that begin a word where ▁ is before them.
inline void make_marked_word_pieces(vocabulary& made) {
  make_word_pieces_if(made, true, [](std::string_view token) {
    const bool begins = token.starts_with(space_mark);
    return std::pair(!begins, begins ? token.substr(space_mark.size()) : token);
  });
}

/// Makes the pieces of a unigram vocabulary: all tokens but special and unknown ones, bytes, and those that
/// are left out. `scores` are those of the tokens.
inline void make_unigram(vocabulary& made, const std::vector<double>& scores,
                         const std::vector<bool>& left_out = {}) {
  std::vector<bool> is_text(made.tokens.size(), true);
  for (const added_token& each : made.added) is_text[static_cast<std::size_t>(each.id)] = !each.special;
  for (const token_id byte : made.byte_tokens)
    if (byte != no_token) is_text[static_cast<std::size_t>(byte)] = false;
  if (made.rules.unknown) is_text[static_cast<std::size_t>(*made.rules.unknown)] = false;
  for (std::size_t id = 0; id < scores.size(); ++id)
    if (is_text[id] && (left_out.empty() || !left_out[id]))
      made.pieces.push_back({made.tokens[id], static_cast<token_id>(id), scores[id]});
  made.rules.model = token_model::unigram;
  made.rules.by_characters = false;
  made.rules.fuses_unknown = true;
  made.characters.clear();
}

} // namespace detail
} // namespace transept::inline TRANSEPT_ABI
