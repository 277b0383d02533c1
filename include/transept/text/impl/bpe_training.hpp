// How merges are learned from counted words (text/bpe_training.hpp).
#pragma once

#include <algorithm>
#include <array>
#include <limits>
#include <queue>
#include <span>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <transept/core/display.hpp>
#include <transept/core/error.hpp>
#include <transept/core/types.hpp>
#include <transept/text/bpe_training.hpp>
#include <transept/text/byte_alphabet.hpp>
#include <transept/text/impl/byte_alphabet.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

/// Words as tokens, and what is known of the pairs in them.
class pair_counts {
public:
  pair_counts(const word_counts& words, const std::array<token_id, 256>& byte_tokens) {
    if (words.size() > std::numeric_limits<std::uint32_t>::max())
      throw argument_error("more than 2^32 different words cannot be trained on");
    words_.reserve(words.size());
    for (std::size_t i = 0; i < words.size(); ++i) {
      words_.push_back({tokens_.size(), words.word(i).size(), static_cast<std::int64_t>(words.count(i))});
      for (const char byte : words.word(i)) tokens_.push_back(byte_tokens[static_cast<unsigned char>(byte)]);
      for (std::size_t at = 0; at + 1 < words_[i].length; ++at)
        change(tokens_of(i)[at], tokens_of(i)[at + 1], static_cast<std::uint32_t>(i), words_[i].count);
    }
    queue_new_pairs();
  }

  struct counted_pair {
    std::int64_t count = 0;
    token_id left = 0, right = 0;

    /// Whether `other` is merged first.
    bool operator<(const counted_pair& other) const {
      return std::tuple(count, other.left, other.right) < std::tuple(other.count, left, right);
    }
  };

  /// Takes out the pair that is to be merged next; of count 0 where none is left. Counts only fall once a
  /// pair is queued, so an entry that is out of date is put back where it belongs now.
  counted_pair take_most_frequent() {
    while (!queue_.empty()) {
      counted_pair top = queue_.top();
      queue_.pop();
      const std::int64_t count = pairs_.at(key_of(top.left, top.right)).count;
      if (count == top.count) return top;
      top.count = count;
      if (count > 0) queue_.push(top);
    }
    return {};
  }

  /// Makes the pair, wherever it occurs, the token `merged`.
  void merge(const counted_pair& pair, token_id merged) {
    const auto found = pairs_.find(key_of(pair.left, pair.right));
    const std::vector<std::uint32_t> places = std::move(found->second.words);
    pairs_.erase(found);
    for (const std::uint32_t word : places) merge_in(word, pair, merged);
    queue_new_pairs();
  }

private:
  struct counted_word {
    std::size_t begin, length; // in tokens_
    std::int64_t count;
  };
  struct pair_places {
    std::int64_t count = 0;
    std::vector<std::uint32_t> words; // where it occurs, or did
  };

  static std::uint64_t key_of(token_id left, token_id right) {
    return std::uint64_t{static_cast<std::uint32_t>(left)} << 32 | static_cast<std::uint32_t>(right);
  }

  std::span<token_id> tokens_of(std::size_t i) {
    return std::span(tokens_).subspan(words_[i].begin, words_[i].length);
  }

  /// `change` > 0: the pair may be new, and is in `word`.
  void change(token_id left, token_id right, std::uint32_t word, std::int64_t change) {
    const auto [place, is_new] = pairs_.try_emplace(key_of(left, right));
    if (is_new) new_pairs_.push_back({0, left, right});
    pair_places& pair = place->second;
    pair.count += change;
    if (change > 0 && (pair.words.empty() || pair.words.back() != word)) pair.words.push_back(word);
  }

  void merge_in(std::uint32_t at, const counted_pair& pair, token_id merged) {
    const std::span<token_id> tokens = tokens_of(at);
    const std::int64_t count = words_[at].count;
    const auto uncount = [&](token_id left, token_id right) {
      if (left != pair.left || right != pair.right) change(left, right, at, -count);
    };
    std::size_t kept = 0;
    for (std::size_t i = 0; i < tokens.size(); ++kept) {
      const bool found = i + 1 < tokens.size() && tokens[i] == pair.left && tokens[i + 1] == pair.right;
      if (!found) {
        tokens[kept] = tokens[i++];
        continue;
      }
      if (kept > 0) {
        uncount(tokens[kept - 1], pair.left);
        change(tokens[kept - 1], merged, at, count);
      }
      i += 2;
      if (i < tokens.size()) {
        uncount(pair.right, tokens[i]);
        change(merged, tokens[i], at, count);
      }
      tokens[kept] = merged;
    }
    words_[at].length = kept;
  }

  void queue_new_pairs() {
    for (counted_pair& pair : new_pairs_) {
      pair.count = pairs_.at(key_of(pair.left, pair.right)).count;
      if (pair.count > 0) queue_.push(pair);
    }
    new_pairs_.clear();
  }

  std::vector<token_id> tokens_;
  std::vector<counted_word> words_;
  std::unordered_map<std::uint64_t, pair_places> pairs_;
  std::vector<counted_pair> new_pairs_; // since the last merge
  std::priority_queue<counted_pair> queue_;
};

/// The special tokens and the bytes. Throws argument_error for special tokens that cannot be.
inline vocabulary vocabulary_of_bytes(const std::vector<std::string>& special_tokens) {
  vocabulary result;
  std::unordered_set<std::string> written;
  for (std::size_t byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    written.insert(to_byte_alphabet({&c, 1}));
  }
  for (const std::string& token : special_tokens) {
    if (token.empty()) throw argument_error("a special token is empty");
    if (!written.insert(token).second)
      throw argument_error("special token " + quoted(token) + " is given twice, or is how a byte is written");
    result.added.push_back({static_cast<token_id>(result.tokens.size()), true});
    result.tokens.push_back(token);
  }
  std::array<std::size_t, 256> order;
  for (std::size_t byte = 0; byte < 256; ++byte) order[byte] = byte;
  std::ranges::sort(order, {}, [](std::size_t byte) { return byte_to_symbol[byte]; });
  for (const std::size_t byte : order) {
    result.byte_tokens[byte] = static_cast<token_id>(result.tokens.size());
    result.tokens.emplace_back(1, static_cast<char>(byte));
  }
  return result;
}

} // namespace detail

TRANSEPT_FUNCTION vocabulary learn_vocabulary(const word_counts& words, const bpe_options& options) {
  vocabulary result = detail::vocabulary_of_bytes(options.special_tokens);
  constexpr std::size_t most = std::numeric_limits<token_id>::max();
  if (options.vocab_size < result.tokens.size() || options.vocab_size > most)
    throw argument_error("vocab_size must be from " + std::to_string(result.tokens.size()) +
                         " (bytes and special tokens) to " + std::to_string(most) + "; got " +
                         std::to_string(options.vocab_size));
  detail::pair_counts pairs(words, result.byte_tokens);
  const auto least = static_cast<std::int64_t>(
      std::clamp<std::uint64_t>(options.min_frequency, 1, std::numeric_limits<std::int64_t>::max()));
  while (result.tokens.size() < options.vocab_size) {
    const auto pair = pairs.take_most_frequent();
    if (pair.count < least) break;
    std::string text = result.tokens[static_cast<std::size_t>(pair.left)] +
                       result.tokens[static_cast<std::size_t>(pair.right)];
    if (std::ranges::count(options.special_tokens, to_byte_alphabet(text)) != 0) continue;
    const auto merged = static_cast<token_id>(result.tokens.size());
    result.tokens.push_back(std::move(text));
    result.merges.push_back({pair.left, pair.right, merged});
    pairs.merge(pair, merged);
    if (options.progress) options.progress(result.tokens.size(), options.vocab_size);
  }
  return result;
}

} // namespace transept::inline TRANSEPT_ABI
