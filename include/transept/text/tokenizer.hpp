// GPT-2's tokenizer: byte-level byte-pair encoding.
//
//   text → (special tokens, where allowed) → pieces (pre_tokenize.hpp) → tokens (byte_pairs.hpp)
//
// Any bytes are text and every byte is a token, so decode(encode(text)) is text, UTF-8 or not.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/core/types.hpp>
#include <transept/text/byte_pairs.hpp>
#include <transept/text/string_matcher.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A token that stands for its whole text and that no merges lead to.
struct added_token {
  token_id id;         ///< its place in vocabulary::tokens
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
  std::vector<added_token> added;        ///< in any order
};

/// What `encode` does where the text has a special token's text, such as `<|endoftext|>`: treat it as any
/// other text, or make it that token. Text from a stranger is text.
enum class special_tokens { as_text, allowed };

/// Immutable: any number of threads may call its functions at once. A value; copying copies the tables
/// (about 4 MB for GPT-2).
class tokenizer {
public:
  /// Throws tokenizer_error where `from` contradicts itself.
  explicit tokenizer(const vocabulary& from);

  /// The tokens of `text`, any bytes. Time is near-linear whatever the text. Throws tokenizer_error where the
  /// vocabulary is one of characters and lacks one of the text's.
  std::vector<token_id> encode(std::string_view text, special_tokens special = special_tokens::as_text) const;

  /// Whether tokens end before text[at] whatever comes after `text`: the tokens of the text up to there and
  /// of the text from there on, encoded one by one, are those of the whole. For text that is larger than
  /// memory.
  bool may_cut_before(std::string_view text, std::size_t at,
                      special_tokens special = special_tokens::as_text) const;

  /// The bytes of the tokens, one after the other. May begin or end inside a character: see stream_decoder.
  /// Throws tokenizer_error for an id that is not in the vocabulary.
  std::string decode(std::span<const token_id> tokens) const;

  /// The bytes of one token; valid as long as this tokenizer, or one it was moved to. Throws tokenizer_error
  /// for an id that is not in the vocabulary.
  std::string_view bytes(token_id token) const;

  /// How many tokens there are, added ones too; ids are 0 to one less.
  std::size_t vocabulary_size() const { return offsets_.size() - 1; }

  /// The id of `<|endoftext|>`, if there is one.
  std::optional<token_id> end_of_text() const { return end_of_text_; }

  /// Bytes of the longest token.
  std::size_t longest_token() const { return longest_; }

  static constexpr std::string_view end_of_text_text = "<|endoftext|>"; ///< what end_of_text() looks for

private:
  struct found_string {
    std::size_t string; // its index
    std::size_t begin, end;
  };

  /// The leftmost of `matcher`'s strings in `text` from `from` on, and the longest of those that begin there.
  static std::optional<found_string> find_leftmost(const string_matcher& matcher, std::string_view text,
                                                   std::size_t from);

  /// Whether one of `matcher`'s strings takes in text[at], or begins right after it, or could if `text` went
  /// on.
  bool may_meet(const string_matcher& matcher, std::string_view text, std::size_t at) const;

  void encode_ordinary(std::string_view text, std::vector<token_id>& out) const;

  void check(const vocabulary& from) const;

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

#if !TRANSEPT_IS_COMPILED
#include <transept/text/impl/tokenizer.hpp>
#endif
