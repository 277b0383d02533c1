// Tokenizers: byte-pair encodings, GPT-2's, of bytes, and those of its successors, of bytes or characters;
// unigram models and WordPiece.
//
//   text → added tokens → normalizers (text_normalizer.hpp) → pieces (splitting.hpp)
//        → tokens (byte_pairs.hpp, unigram.hpp, word_pieces.hpp)
//
// In a vocabulary of bytes any bytes are text and every byte is a token, so decode(encode(text)) is text,
// UTF-8 or not (where no normalizer changes it).
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/core/function_ref.hpp>
#include <transept/core/types.hpp>
#include <transept/text/byte_pairs.hpp>
#include <transept/text/splitting.hpp>
#include <transept/text/string_matcher.hpp>
#include <transept/text/text_normalizer.hpp>
#include <transept/text/unigram.hpp>
#include <transept/text/vocabulary.hpp>
#include <transept/text/word_pieces.hpp>

namespace transept::inline TRANSEPT_ABI {

/// What `encode` does where the text has a special token's text, such as `<|endoftext|>`: treat it as any
/// other text, or make it that token. Text from a stranger is text.
enum class special_tokens { as_text, allowed };

/// What `decode` does with special tokens: write their text, or nothing.
enum class decoded_tokens { all, without_special };

namespace detail {
class span_finder;
} // namespace detail

/// Immutable: any number of threads may call its functions at once. A value; copying copies the tables
/// (about 4 MB for GPT-2).
class tokenizer {
public:
  /// Throws tokenizer_error where `from` contradicts itself.
  explicit tokenizer(const vocabulary& from);

  /// The tokens of `text`, any bytes. Time is near-linear whatever the text. Throws tokenizer_error where the
  /// vocabulary lacks a character of the text and has no token for what it lacks.
  std::vector<token_id> encode(std::string_view text, special_tokens special = special_tokens::as_text) const;

  /// The tokens of a text that a model begins with: what the tokenizer's file puts before and behind it, and
  /// encode(). Of GPT-2's kind nothing is put.
  std::vector<token_id> encode_prompt(std::string_view text,
                                      special_tokens special = special_tokens::as_text) const;

  /// Whether tokens end before text[at] whatever comes after `text`: the tokens of the text up to there and
  /// of the text from there on, encoded one by one, are those of the whole. For text that is larger than
  /// memory.
  bool may_cut_before(std::string_view text, std::size_t at,
                      special_tokens special = special_tokens::as_text) const;

  /// The bytes of the tokens, one after the other. May begin or end inside a character: see stream_decoder.
  /// An id from vocabulary_size() on, which a model with a padded vocabulary may have, is nothing; so is the
  /// space before the first word, where encode() puts one. Throws tokenizer_error for a negative id.
  std::string decode(std::span<const token_id> tokens, decoded_tokens which = decoded_tokens::all) const;

  /// What a token is in a text: its bytes, or nothing, as decode says. Valid as long as what bytes gives;
  /// throws tokenizer_error for a negative id.
  std::string_view text_of(token_id token, decoded_tokens which = decoded_tokens::all) const;

  /// The bytes of one token; valid as long as this tokenizer, or one it was moved to. Throws tokenizer_error
  /// for an id that is not in the vocabulary.
  std::string_view bytes(token_id token) const;

  /// Whether it is the id of a token.
  bool has(token_id token) const { return token >= 0 && static_cast<std::size_t>(token) < vocabulary_size(); }

  /// Whether it is a token that encode() makes of no ordinary text. Throws as bytes does.
  bool is_special(token_id token) const;

  /// How many tokens there are, added ones too; ids are 0 to one less.
  std::size_t vocabulary_size() const { return offsets_.size() - 1; }

  /// What whoever loads it should hear, such as that a folder's files disagree; mostly empty.
  const std::string& note() const { return note_; }

  /// What it does besides merging.
  const text_rules& rules() const { return rules_; }

  /// The id of `<|endoftext|>`, if there is one.
  std::optional<token_id> end_of_text() const { return end_of_text_; }

  /// Bytes of the longest token.
  std::size_t longest_token() const { return longest_; }

  static constexpr std::string_view end_of_text_text = "<|endoftext|>"; ///< what end_of_text() looks for

private:
  friend class detail::span_finder; // text/encoded_text.hpp

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

  void add_tokens(const std::vector<added_token>& added);

  /// A piece, and where it is in the text that it was cut from.
  struct placed_piece {
    std::string_view piece;
    std::ptrdiff_t begin;                   // −1 where a space was put before the text
    std::span<const std::ptrdiff_t> places; // of its bytes and its end, where they do not lie one by one
    std::size_t first;                      // how many tokens were there before its own

    std::ptrdiff_t place(std::size_t at) const {
      return places.empty() ? begin + static_cast<std::ptrdiff_t>(at) : places[at];
    }
  };
  using piece_listener = function_ref<void(const placed_piece&)>;

  /// What lies between all added tokens, normalized. `begins`: at the text's beginning.
  void encode_normalized(std::string_view text, bool begins, std::vector<token_id>& out,
                         const piece_listener* listener = nullptr) const;

  /// All pieces of a text that has its prefix, of which `before` bytes are before where `listener` counts
  /// from.
  void encode_pieces(std::string_view text, std::vector<token_id>& out,
                     const piece_listener* listener = nullptr, std::ptrdiff_t before = 0) const;

  /// The words of a text, each with its prefix (text_rules::prefixes_words).
  void encode_words(std::string_view text, bool begins, std::vector<token_id>& out,
                    const piece_listener* listener) const;

  void encode_piece(std::string_view piece, std::vector<token_id>& out) const;

  /// The same of a piece, or a part of one, that merges have to be looked for in as a whole.
  void encode_uncut(std::string_view piece, std::vector<token_id>& out) const;

  /// Whether a merge may take in both the byte before piece[at] and that.
  bool may_be_crossed(std::string_view piece, std::size_t at) const;
  static std::size_t pair_index(char left, char right) {
    return std::size_t{static_cast<unsigned char>(left)} << 8 | static_cast<unsigned char>(right);
  }

  /// What no token stands for: its bytes, where there are tokens for them, or the unknown token.
  void add_unknown(std::string_view run, std::vector<token_id>& out) const;

  /// The same where merges begin with characters.
  void encode_characters(std::string_view piece, std::vector<token_id>& out) const;

  /// The token of a character, or no_token.
  token_id token_of(char32_t character, bool is_last) const;

  /// Where in `whole_` the token of these bytes is, or would be.
  std::size_t place_of(std::string_view bytes) const;

  void check(const vocabulary& from) const;

  /// An added token that was found.
  struct found_token {
    token_id id;
    std::size_t begin, end;
  };
  /// Those that are looked for together, by their texts.
  struct added_set {
    string_matcher matcher;
    std::vector<added_token> tokens;
  };
  static bool is_in_word(std::string_view text, std::size_t begin, std::size_t end);
  std::optional<found_token> find_token(const added_set& set, std::string_view text, std::size_t from) const;
  /// Calls between(part) and found(id) for all of a text, in order.
  template <class Between, class Found>
  void divide(const added_set& set, std::string_view text, Between between, Found found) const;

  byte_pairs pairs_;
  std::string note_;
  text_rules rules_;
  text_normalizer normalize_;
  splitter splitter_;
  unigram unigram_;
  word_pieces word_pieces_;
  std::vector<char> bytes_;          // of all tokens
  std::vector<std::size_t> offsets_; // where each begins, and the end
  std::vector<bool> special_;
  std::size_t longest_ = 0;
  // Added tokens found in any text, and where special ones are allowed; and behind the normalizers.
  added_set always_, allowed_, always_normalized_, allowed_normalized_;
  std::vector<character_token> characters_, last_characters_; // by character
  std::array<token_id, 128> ascii_{};                         // of characters_
  std::array<token_id, 256> byte_tokens_{};
  std::vector<token_id> whole_; // hash table of all tokens by their bytes (rules_.takes_whole_pieces)
  std::optional<token_id> end_of_text_;
  bool is_gpt2s_ = true; // no rule but its own, nothing looked for in normalized text
  bool lacks_bytes_ = false;
  bool cuts_pieces_ = false;  // where no merge crosses
  std::vector<bool> crossed_; // by left · 256 + right: the bytes on both sides of a merge's middle
};

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/text/impl/tokenizer.hpp>
#endif
