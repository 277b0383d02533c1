// Gathers a vocabulary from tokens, added tokens and merges, whatever file they come in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
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
#include <transept/text/tokenizer.hpp>
#include <transept/text/unicode.hpp>

namespace transept::inline TRANSEPT_ABI {
namespace detail {

/// Gathers tokens and merges from any of the files, then gives a vocabulary.
class vocabulary_builder {
public:
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
    // A token that is not in the alphabet is plain text, as it stands.
    put(id, from_byte_alphabet(symbol).value_or(symbol), symbol, source);
    if (symbol == tokenizer::end_of_text_text) added_[id] = true;
  }

  /// A token that stands for `text`, itself in no alphabet; new, or one of the table's.
  void add_added(const std::string& text, const json& value, bool special, const std::string& source) {
    if (text.empty()) fail(source, "an added token is empty");
    add_added(text, id_of(value, source, text), special, source);
  }

  void add_added(const std::string& text, token_id id, bool special, const std::string& source) {
    if (const auto known = symbols_.find(text); known != symbols_.end() && known->second != id) {
      fail(source, "added token " + quoted(text) + " has id " + std::to_string(id) + ", but " +
                       vocabulary_source_ + " gives it " + std::to_string(known->second));
    }
    if (symbols_.contains(text)) {
      by_id_[id] = text;
    } else {
      put(id, text, text, source);
    }
    added_[id] = special || text == tokenizer::end_of_text_text;
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

  vocabulary finish() {
    vocabulary result;
    const std::size_t size = by_id_.size();
    for (const auto& [symbol, id] : symbols_) check_range(id, symbol);
    for (const auto& [id, special] : added_) check_range(id, by_id_.at(id));
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const char c = static_cast<char>(byte);
      const std::string name = to_byte_alphabet({&c, 1});
      const auto known = symbols_.find(name);
      if (known == symbols_.end()) {
        result.byte_tokens[byte] = no_token;
        if (is_of_characters()) continue;
        fail(vocabulary_source_, "no token for byte " + std::to_string(byte) + " (written " + quoted(name) +
                                     "): this is not GPT-2's byte-level vocabulary");
      }
      result.byte_tokens[byte] = known->second;
    }
    result.tokens.resize(size);
    for (auto& [id, text] : by_id_) result.tokens[static_cast<std::size_t>(id)] = std::move(text);
    result.merges = std::move(merges_);
    for (const auto& [id, special] : added_) result.added.push_back({id, special});
    return result;
  }

  [[noreturn]] static void fail(const std::string& where, const std::string& what) {
    throw tokenizer_error(where + ": " + what);
  }

private:
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
  std::map<token_id, bool> added_; // and whether it is special
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
