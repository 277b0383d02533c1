// Gathers a vocabulary from tokens, added tokens and merges, whatever file they come in.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <transept/core/display.hpp>
#include <transept/core/error.hpp>
#include <transept/core/json.hpp>
#include <transept/core/types.hpp>
#include <transept/text/byte_alphabet.hpp>
#include <transept/text/impl/space_mark.hpp>
#include <transept/text/tokenizer.hpp>
#include <transept/text/unicode.hpp>

namespace transept::inline TRANSEPT_ABI {
namespace detail {

/// Gathers tokens and merges from any of the files, then gives a vocabulary.
class vocabulary_builder {
public:
  vocabulary_builder() = default; ///< of GPT-2's kind

  /// `rules` become the vocabulary's; by_characters, marks_spaces and end_of_word have to be told before
  /// tokens come.
  explicit vocabulary_builder(const text_rules& rules) : rules_(&rules) {}

  /// Whether tokens "<0x00>" to "<0xFF>" are bytes, for characters that have no token.
  void bytes_fall_back(bool so) { byte_fallback_ = so; }

  /// The table {"token": id, …}.
  void add_tokens(const json& table, const std::string& source) {
    vocabulary_source_ = source;
    if (!table.is_object()) fail(source, "expected an object of tokens and ids, found " + described(table));
    symbols_.reserve(table.size());
    by_id_.reserve(table.size());
    pairs_.reserve(table.size());
    for (const auto& [symbol, value] : table.items()) add_token(symbol, id_of(value, source, symbol), source);
  }

  /// One token, as a table writes it.
  void add_token(const std::string& symbol, token_id id, const std::string& source) {
    if (symbol.empty()) fail(source, "a token is empty");
    vocabulary_source_ = source;
    const auto [known, is_new] = symbols_.emplace(symbol, id);
    if (!is_new)
      fail(source, "token " + quoted(symbol) + " has two ids, " + std::to_string(known->second) + " and " +
                       std::to_string(id));
    put(id, bytes_of(symbol), symbol, source);
    if (symbol == tokenizer::end_of_text_text) added_[id] = {.id = id};
  }

  /// A token that stands for `text`, itself in no alphabet; new, or one of the table's.
  /// `flags`, whose id is left out, say how it is found.
  void add_added(const std::string& text, const json& value, const added_token& flags,
                 const std::string& source) {
    if (text.empty()) fail(source, "an added token is empty");
    add_added(text, id_of(value, source, text), flags, source);
  }

  void add_added(const std::string& text, token_id id, const added_token& flags, const std::string& source) {
    if (const auto known = symbols_.find(text); known != symbols_.end() && known->second != id) {
      fail(source, "added token " + quoted(text) + " has id " + std::to_string(id) + ", but " +
                       vocabulary_source_ + " gives it " + std::to_string(known->second));
    }
    const bool is_byte = by_characters() && byte_fallback_ && byte_named(text) >= 0;
    if (!symbols_.contains(text)) {
      put(id, is_byte ? bytes_of(text) : text, text, source);
    } else if (!is_byte) {
      by_id_[id] = text;
    }
    added_[id] = flags;
    added_[id].id = id;
    added_ids_[text] = id;
    if (is_byte) added_[id].text = text;
    if (text == tokenizer::end_of_text_text) added_[id].special = true;
  }

  /// The id of a token as the file writes it.
  token_id id_of_symbol(const std::string& symbol, const std::string& where) const {
    if (const auto known = symbols_.find(symbol); known != symbols_.end()) return known->second;
    if (const auto known = id_of_added(symbol)) return *known;
    fail(where, quoted(symbol) + " is not a token");
  }

  /// The id of a token as the table writes it, if there is one.
  std::optional<token_id> find_symbol(const std::string& symbol) const {
    const auto known = symbols_.find(symbol);
    return known == symbols_.end() ? std::nullopt : std::optional(known->second);
  }

  /// The id of the added token that stands for `text`, if there is one.
  std::optional<token_id> id_of_added(const std::string& text) const {
    const auto known = added_ids_.find(text);
    return known == added_ids_.end() ? std::nullopt : std::optional(known->second);
  }

  /// An id that the file uses. Throws where no token has it.
  token_id known_id(const json& value, const std::string& where) const {
    const token_id id = id_of(value, where, "of a template");
    if (!by_id_.contains(id)) fail(where, "no token has id " + std::to_string(id));
    return id;
  }

  /// One merge; `where` names it in messages.
  void add_merge(const std::string& left, const std::string& right, const std::string& where) {
    const token_merge merge{find(left, where), find(right, where), find(left + right, where)};
    const auto left_bits = std::uint64_t{static_cast<std::uint32_t>(merge.left)} << 32;
    if (!pairs_.insert(left_bits | static_cast<std::uint32_t>(merge.right)).second) {
      fail(where, "the merge of " + quoted(left) + " and " + quoted(right) + " was given before");
    }
    merges_.push_back(merge);
  }

  /// The merges of all pairs of tokens that a token is made of, which have its score.
  void add_merges_of(const std::string& symbol, float score) {
    const token_id merged = symbols_.at(symbol);
    for (std::size_t at = first_character(symbol).length; at < symbol.size();
         at += first_character(std::string_view(symbol).substr(at)).length) {
      const auto left = symbols_.find(symbol.substr(0, at)), right = symbols_.find(symbol.substr(at));
      if (left == symbols_.end() || right == symbols_.end()) continue;
      merges_.push_back({left->second, right->second, merged});
      scores_.push_back(score);
    }
  }

  /// Gives merges with scores their ranks: the highest score is first, and equal scores are equal.
  void rank_merges_by_score() {
    std::vector<float> distinct(scores_);
    const auto later = [](float a, float b) { return a > b; };
    std::sort(distinct.begin(), distinct.end(), later);
    distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
    for (std::size_t i = 0; i < merges_.size(); ++i)
      merges_[i].rank = static_cast<std::int32_t>(
          std::lower_bound(distinct.begin(), distinct.end(), scores_[i], later) - distinct.begin());
  }

  vocabulary finish() {
    vocabulary result;
    const std::size_t size = by_id_.size();
    for (const auto& [symbol, id] : symbols_) check_range(id, symbol);
    for (const auto& [id, flags] : added_) check_range(id, by_id_.at(id));
    if (rules_) result.rules = *rules_;
    if (by_characters()) {
      find_characters(result);
    } else {
      find_bytes(result);
    }
    result.tokens.resize(size);
    for (auto& [id, text] : by_id_) result.tokens[static_cast<std::size_t>(id)] = std::move(text);
    result.merges = std::move(merges_);
    for (const auto& [id, flags] : added_) result.added.push_back(flags);
    return result;
  }

  [[noreturn]] static void fail(const std::string& where, const std::string& what) {
    throw tokenizer_error(where + ": " + what);
  }

private:
  bool by_characters() const { return rules_ && rules_->by_characters; }

  /// The byte that "<0x0A>" stands for, or -1.
  static int byte_named(std::string_view symbol) {
    if (symbol.size() != 6 || !symbol.starts_with("<0x") || symbol[5] != '>') return -1;
    int byte = 0;
    for (const char digit : symbol.substr(3, 2)) {
      const bool is_letter = digit >= 'A' && digit <= 'F';
      if (!is_letter && (digit < '0' || digit > '9')) return -1;
      byte = byte * 16 + (is_letter ? digit - 'A' + 10 : digit - '0');
    }
    return byte;
  }

  /// What a token of the file stands for.
  std::string bytes_of(const std::string& symbol) const {
    // A token that is not in the alphabet is plain text, as it stands.
    if (!by_characters()) return from_byte_alphabet(symbol).value_or(symbol);
    if (const int byte = byte_fallback_ ? byte_named(symbol) : -1; byte >= 0)
      return std::string(1, static_cast<char>(byte));
    std::string text = rules_->marks_spaces ? with_spaces(symbol) : symbol;
    const std::string& suffix = rules_->end_of_word;
    if (!suffix.empty() && text.ends_with(suffix))
      text.replace(text.size() - suffix.size(), suffix.size(), " ");
    return text;
  }

  /// The tokens that are one character, and the bytes that stand in for others.
  void find_characters(vocabulary& result) const {
    result.byte_tokens.fill(no_token);
    for (const auto& [symbol, id] : symbols_) {
      if (const int byte = byte_fallback_ ? byte_named(symbol) : -1; byte >= 0) {
        result.byte_tokens[static_cast<std::size_t>(byte)] = id;
        continue;
      }
      const character first = first_character(symbol);
      if (first.code_point == character::not_utf8) continue;
      const std::string_view rest = std::string_view(symbol).substr(first.length);
      if (rest.empty() && rules_->marks_spaces && first.code_point == 0x2581)
        result.characters.push_back({U' ', id});
      else if (rest.empty() && !(rules_->marks_spaces && first.code_point == ' '))
        result.characters.push_back({static_cast<char32_t>(first.code_point), id});
      else if (!rules_->end_of_word.empty() && rest == rules_->end_of_word)
        result.last_characters.push_back({static_cast<char32_t>(first.code_point), id});
    }
  }

  void find_bytes(vocabulary& result) const {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const char c = static_cast<char>(byte);
      const std::string name = to_byte_alphabet({&c, 1});
      const auto known = symbols_.find(name);
      if (known == symbols_.end() || (rules_ && added_.contains(known->second))) { // an added À is no byte
        result.byte_tokens[byte] = no_token;
        if (is_of_characters()) continue;
        if (rules_) { // bytes that were in no text it was learned from, or that UTF-8 never has
          result.rules.drops_unknown = true;
          continue;
        }
        fail(vocabulary_source_, "no token for byte " + std::to_string(byte) + " (written " + quoted(name) +
                                     "): this is not GPT-2's byte-level vocabulary");
      }
      result.byte_tokens[byte] = known->second;
    }
  }

  static token_id id_of(const json& value, const std::string& source, const std::string& token) {
    constexpr std::uint64_t most = std::numeric_limits<token_id>::max();
    if (value.is_number_unsigned() && value.get<std::uint64_t>() <= most) return value.get<token_id>();
    fail(source, "the id of token " + quoted(token) + " is " + described(value) +
                     ", expected a whole number from 0 to " + std::to_string(most));
  }

  void put(token_id id, std::string bytes, const std::string& symbol, const std::string& source) {
    const auto [place, is_new] = by_id_.try_emplace(id, std::move(bytes));
    if (is_new) return;
    const std::string other = quoted(to_byte_alphabet(place->second));
    fail(source, "tokens " + other + " and " + quoted(symbol) + " have the same id, " + std::to_string(id));
  }

  /// Whether all tokens but added ones are one character, or part of one, so that bytes may be missing.
  bool is_of_characters() const {
    std::size_t characters = 0;
    for (const auto& [id, text] : by_id_) {
      if (added_.contains(id)) continue;
      if (first_character(text).length != text.size() && incomplete_suffix(text) != text.size()) return false;
      ++characters;
    }
    return characters != 0;
  }

  /// Ids are all different, so they are 0 to n-1 unless one is n or more.
  void check_range(token_id id, const std::string& token) const {
    const std::size_t size = by_id_.size();
    if (static_cast<std::size_t>(id) < size) return;
    token_id missing = 0;
    while (by_id_.contains(missing)) ++missing;
    fail(vocabulary_source_, "token " + quoted(token) + " has id " + std::to_string(id) + ", but there are " +
                                 std::to_string(size) + " tokens, so ids end at " + std::to_string(size - 1) +
                                 "; no token has id " + std::to_string(missing));
  }

  token_id find(const std::string& name, const std::string& where) const {
    const auto known = symbols_.find(name);
    if (known == symbols_.end()) fail(where, quoted(name) + " is not a token of " + vocabulary_source_);
    return known->second;
  }

  std::string vocabulary_source_;
  std::unordered_map<std::string, token_id> symbols_; // as the file writes them
  std::unordered_map<token_id, std::string> by_id_;   // bytes
  std::unordered_set<std::uint64_t> pairs_;           // of the merges
  std::vector<token_merge> merges_;
  std::vector<float> scores_; // of merges, where they come by score
  std::map<token_id, added_token> added_;
  std::unordered_map<std::string, token_id> added_ids_; // by what is looked for
  const text_rules* rules_ = nullptr;                   // none: GPT-2's
  bool byte_fallback_ = false;
};

/// Adds the merge "left right".
inline void add_merge_line(vocabulary_builder& builder, std::string_view line, const std::string& where) {
  const std::size_t space = line.find(' ');
  const std::string_view left = line.substr(0, space);
  const std::string_view right = space == line.npos ? std::string_view() : line.substr(space + 1);
  if (left.empty() || right.empty() || right.find(' ') != right.npos) {
    builder.fail(where, "expected two tokens with a space between, found " + quoted(line));
  }
  builder.add_merge(std::string(left), std::string(right), where);
}

} // namespace detail
} // namespace transept::inline TRANSEPT_ABI
