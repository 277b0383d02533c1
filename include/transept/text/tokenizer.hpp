// GPT-2's tokenizer: byte-level byte-pair encoding.
//
//   text → (special tokens, where allowed) → pieces (pre_tokenize.hpp) → tokens (byte_pairs.hpp)
//
// Any bytes are text and every byte is a token, so decode(encode(text)) is text, UTF-8 or not.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <transept/core/display.hpp>
#include <transept/core/error.hpp>
#include <transept/core/types.hpp>
#include <transept/text/byte_pairs.hpp>
#include <transept/text/pre_tokenize.hpp>
#include <transept/text/string_matcher.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A token that stands for its whole text and that no merges lead to.
struct added_token {
  token_id id;
  bool special = true; ///< found only where special tokens are allowed; else in any text
};

/// In a vocabulary of characters (character_vocabulary.hpp): what stands for a byte that it lacks.
inline constexpr token_id no_token = -1;

/// What a tokenizer is made from; read_vocabulary, read_tokenizer_json (vocabulary_files.hpp)
/// and read_token_lists (token_lists.hpp) give it.
struct vocabulary {
  std::vector<std::string> tokens;       ///< the bytes of each token, by id
  std::array<token_id, 256> byte_tokens; ///< the token of each byte, or no_token
  std::vector<token_merge> merges;       ///< in the order they were learned
  std::vector<added_token> added;
};

/// What `encode` does where the text has a special token's text, such as `<|endoftext|>`: treat it as any
/// other text, or make it that token. Text from a stranger is text.
enum class special_tokens { as_text, allowed };

/// Immutable: any number of threads may call its functions at once. A value; copying copies the tables
/// (about 4 MB for GPT-2).
class tokenizer {
public:
  /// Throws tokenizer_error where `from` contradicts itself.
  explicit tokenizer(const vocabulary& from) : pairs_(from.byte_tokens, from.merges) {
    offsets_.reserve(from.tokens.size() + 1);
    offsets_.push_back(0);
    for (const std::string& token : from.tokens) {
      bytes_.insert(bytes_.end(), token.begin(), token.end());
      offsets_.push_back(bytes_.size());
      longest_ = std::max(longest_, token.size());
    }
    check(from);
    lacks_bytes_ = std::ranges::count(from.byte_tokens, no_token) != 0;
    std::vector<std::string> always, allowed;
    for (const added_token& added : from.added) {
      allowed.emplace_back(bytes(added.id));
      allowed_ids_.push_back(added.id);
      if (allowed.back() == end_of_text_text) end_of_text_ = added.id;
      if (added.special) continue;
      always.emplace_back(bytes(added.id));
      always_ids_.push_back(added.id);
    }
    always_ = string_matcher(always);
    allowed_ = string_matcher(allowed);
  }

  /// The tokens of `text`, any bytes. Time is near-linear whatever the text. Throws tokenizer_error where the
  /// vocabulary is one of characters and lacks one of the text's.
  std::vector<token_id> encode(std::string_view text,
                               special_tokens special = special_tokens::as_text) const {
    const string_matcher& matcher = special == special_tokens::allowed ? allowed_ : always_;
    const std::vector<token_id>& ids = special == special_tokens::allowed ? allowed_ids_ : always_ids_;
    std::vector<token_id> out;
    out.reserve(text.size() / 4 + 1);
    std::size_t from = 0;
    while (const auto found = find_leftmost(matcher, text, from)) {
      encode_ordinary(text.substr(from, found->begin - from), out);
      out.push_back(ids[found->string]);
      from = found->end;
    }
    encode_ordinary(text.substr(from), out);
    return out;
  }

  /// Whether tokens end before text[at] whatever comes after `text`: the tokens of the text up to there and
  /// of the text from there on, encoded one by one, are those of the whole. For text that is larger than
  /// memory.
  bool may_cut_before(std::string_view text, std::size_t at,
                      special_tokens special = special_tokens::as_text) const {
    return transept::may_cut_before(text, at) &&
           !may_meet(special == special_tokens::allowed ? allowed_ : always_, text, at);
  }

  /// The bytes of the tokens, one after the other. May begin or end inside a character: see stream_decoder.
  /// Throws tokenizer_error for an id that is not in the vocabulary.
  std::string decode(std::span<const token_id> tokens) const {
    std::string text;
    for (const token_id token : tokens) text += bytes(token);
    return text;
  }

  /// The bytes of one token; valid as long as this tokenizer, or one it was moved to. Throws tokenizer_error
  /// for an id that is not in the vocabulary.
  std::string_view bytes(token_id token) const {
    if (token < 0 || static_cast<std::size_t>(token) >= vocabulary_size()) {
      throw tokenizer_error("token id " + std::to_string(token) + " is not in the vocabulary: it has " +
                            std::to_string(vocabulary_size()) + " tokens, from id 0 on");
    }
    const auto index = static_cast<std::size_t>(token);
    return {bytes_.data() + offsets_[index], offsets_[index + 1] - offsets_[index]};
  }

  /// How many tokens there are, added ones too; ids are 0 to one less.
  std::size_t vocabulary_size() const { return offsets_.size() - 1; }

  /// The id of `<|endoftext|>`, if there is one.
  std::optional<token_id> end_of_text() const { return end_of_text_; }

  /// Bytes of the longest token.
  std::size_t longest_token() const { return longest_; }

  static constexpr std::string_view end_of_text_text = "<|endoftext|>";

private:
  struct found_string {
    std::size_t string; // its index
    std::size_t begin, end;
  };

  /// The leftmost of `matcher`'s strings in `text` from `from` on, and the longest of those that begin there.
  static std::optional<found_string> find_leftmost(const string_matcher& matcher, std::string_view text,
                                                   std::size_t from) {
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

  /// Whether one of `matcher`'s strings takes in text[at], or begins right after it, or could if `text` went
  /// on.
  bool may_meet(const string_matcher& matcher, std::string_view text, std::size_t at) const {
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

  void encode_ordinary(std::string_view text, std::vector<token_id>& out) const {
    pre_tokenize(text, [&](std::string_view piece) {
      const std::size_t first = out.size();
      pairs_.encode(piece, out);
      if (lacks_bytes_ && std::ranges::find(out.begin() + static_cast<std::ptrdiff_t>(first), out.end(),
                                            no_token) != out.end())
        throw tokenizer_error("the vocabulary lacks a character of " + quoted(piece));
    });
  }

  void check(const vocabulary& from) const {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      if (from.byte_tokens[byte] == no_token) continue;
      const char expected = static_cast<char>(byte);
      if (bytes(from.byte_tokens[byte]) != std::string_view(&expected, 1)) {
        throw tokenizer_error("token " + std::to_string(from.byte_tokens[byte]) + " should be the byte " +
                              std::to_string(byte) + " alone");
      }
    }
    for (const token_merge& merge : from.merges) {
      const std::string_view whole = bytes(merge.merged), left = bytes(merge.left),
                             right = bytes(merge.right);
      if (!(whole.starts_with(left) && whole.substr(left.size()) == right)) {
        throw tokenizer_error("tokens " + std::to_string(merge.left) + " and " + std::to_string(merge.right) +
                              " do not make token " + std::to_string(merge.merged));
      }
    }
  }

  byte_pairs pairs_;
  std::vector<char> bytes_;          // of all tokens
  std::vector<std::size_t> offsets_; // where each begins, and the end
  std::size_t longest_ = 0;
  string_matcher always_, allowed_; // added tokens found in any text; and where special ones are allowed
  std::vector<token_id> always_ids_, allowed_ids_;
  std::optional<token_id> end_of_text_;
  bool lacks_bytes_ = false;
};

} // namespace transept::inline TRANSEPT_ABI
