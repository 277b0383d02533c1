// What a tokenizer is made from: its tokens, its merges, and what it does to a text besides.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <transept/core/types.hpp>
#include <transept/text/byte_pairs.hpp>
#include <transept/text/splitting.hpp>
#include <transept/text/unigram.hpp>

namespace transept::inline TRANSEPT_ABI {

/// In a vocabulary that lacks some bytes (character_vocabulary.hpp): what stands for one of them.
inline constexpr token_id no_token = -1;

/// A token that stands for its whole text and that no merges lead to.
struct added_token {
  token_id id;                         ///< its place in vocabulary::tokens
  bool special = true;                 ///< found only where special tokens are allowed; else in any text
  bool lstrip = false, rstrip = false; ///< takes the white space before it, behind it
  bool single_word = false;            ///< found only where no letter, number or mark is beside it
  bool normalized = false;             ///< looked for behind the normalizers, not before them
  std::string text = {};               ///< what is looked for; empty: its bytes
};

/// How what a text is cut into becomes tokens.
enum class token_model : std::uint8_t {
  byte_pairs, ///< by merges (byte_pairs.hpp)
  unigram,    ///< the most probable tokens (unigram.hpp)
  word_pieces ///< the longest token, again and again (word_pieces.hpp)
};

/// What is done to a whole text, or to what lies between two added tokens.
enum class normalizer : std::uint8_t {
  nfc,           ///< normalization form C
  nfkc,          ///< normalization form KC
  lower_case,    ///< lower case
  nfd,           ///< normalization form D
  nfkd,          ///< normalization form KD
  clean,         ///< BERT's: control characters go, white space becomes spaces
  ideographs,    ///< BERT's: ideographs get spaces around them
  accents,       ///< BERT's: form D, and marks that take no space go
  marks,         ///< all marks go (StripAccents)
  nmt,           ///< control characters go, white space and what is like it becomes spaces
  strip_left,    ///< white space at the beginning goes
  strip_right,   ///< white space at the end goes
  replace,       ///< the next of text_rules::replacements
  precompiled,   ///< text_rules::character_map by grapheme clusters, as Hugging Face's tokenizers
  sentence_piece ///< the same by the longest match, and spaces, as SentencePiece
};

/// What normalizer::replace does, from left to right.
struct text_replacement {
  /// What is looked for.
  enum class pattern_kind : std::uint8_t { text, two_or_more_spaces, white_space, one_white_space };
  pattern_kind kind = pattern_kind::text; ///< ` {2,}`, `\s+` and `\s` are the expressions that are known
  std::string text = {};                  ///< where it is a text
  std::string content = {};               ///< what comes in its place

  bool operator==(const text_replacement&) const = default; ///< member by member
};

/// Where a text gets a space before it, so that its first word is written as any other.
enum class space_prefix : std::uint8_t {
  none,
  always,        ///< before every text between added tokens (Prepend)
  unless_there,  ///< the same, where none is there (ByteLevel's add_prefix_space, Metaspace's "always")
  first_of_text, ///< the same, at the beginning alone (Metaspace's "first")
  behind_text,   ///< none before, but one behind it (SentencePiece's treat_whitespace_as_suffix)
};

/// A character and its token.
struct character_token {
  char32_t character; ///< its code point
  token_id token;     ///< what merges begin with
};

/// A part of what one or two texts become: one of them, or a token that is put there.
struct pair_part {
  /// What a part is.
  enum class part_kind : std::uint8_t {
    token,      ///< a token that is put there
    first_text, ///< the first text's tokens
    second_text ///< the second's
  };
  part_kind kind;     ///< what it is
  token_id token = 0; ///< where it is one
  int type = 0;       ///< token type of all of it

  bool operator==(const pair_part&) const = default; ///< member by member
};

/// before first middle second behind: the first text and what is before it are of type 0, and the middle; the
/// second and what is behind it of `type`.
inline std::vector<pair_part> pair_template(const std::vector<token_id>& before,
                                            const std::vector<token_id>& middle,
                                            const std::vector<token_id>& behind, int type) {
  using enum pair_part::part_kind;
  std::vector<pair_part> parts;
  for (const token_id each : before) parts.push_back({token, each, 0});
  parts.push_back({first_text, 0, 0});
  for (const token_id each : middle) parts.push_back({token, each, 0});
  parts.push_back({second_text, 0, type});
  for (const token_id each : behind) parts.push_back({token, each, type});
  return parts;
}

/// What a tokenizer does besides merging; as it is made, GPT-2's.
struct text_rules {
  token_model model = token_model::byte_pairs;      ///< how pieces become tokens
  std::vector<normalizer> normalizers = {};         ///< in this order
  space_prefix prefix = space_prefix::none;         ///< behind the normalizers
  std::vector<splitting> steps = {splitting::gpt2}; ///< how it is cut

  std::vector<text_replacement> replacements = {}; ///< of the normalizers, in their order
  std::string character_map = {};                  ///< a precompiled_charsmap (character_map.hpp)
  bool removes_extra_spaces = false;               ///< sentence_piece: at both ends, and beside another
  std::vector<std::string> kept_texts = {};        ///< sentence_piece: what it leaves as it is
  /// White space is taken out first, and `prefix` is that of each word (WhitespaceSplit before Metaspace).
  bool prefixes_words = false;

  /// Whether merges begin with characters (`vocabulary::characters`) in place of bytes. A character without a
  /// token is its bytes, where there are tokens for them, or `unknown`.
  bool by_characters = false;
  std::optional<token_id> unknown = {}; ///< for what has no token; none: an error
  bool fuses_unknown = false;           ///< several of them in a row are one
  bool drops_unknown = false;      ///< of bytes: those without a token are left out, as transformers does
  bool marks_spaces = false;       ///< files write ▁ (U+2581) for a space: in texts both are one
  bool takes_whole_pieces = false; ///< a piece that is a token is it, whatever merges say
  /// What the last character of a piece has behind it in its token (GPT-1: "</w>"); tokens that end so are
  /// decoded with a space there.
  std::string end_of_word = {};
  bool single_precision = false;     ///< unigram: sums are SentencePiece's
  std::size_t most_characters = 100; ///< word_pieces: a longer word is unknown

  std::vector<token_id> before = {};  ///< what a prompt has before it: beginning of text
  std::vector<token_id> after = {};   ///< what it has behind it
  std::vector<pair_part> pair = {};   ///< what two texts become together; empty: they are not taken
  std::vector<pair_part> single = {}; ///< the same of one text, where not all of it is of type 0

  bool operator==(const text_rules&) const = default; ///< member by member
};

/// What a tokenizer is made from; read_vocabulary, read_tokenizer_json (vocabulary_files.hpp)
/// and read_token_lists (token_lists.hpp) give it.
struct vocabulary {
  std::vector<std::string> tokens;                   ///< the bytes of each token, by id
  std::array<token_id, 256> byte_tokens;             ///< the token of each byte, or no_token
  std::vector<token_merge> merges;                   ///< in the order they were learned
  std::vector<added_token> added;                    ///< in any order
  std::vector<character_token> characters = {};      ///< where merges begin with them
  std::vector<character_token> last_characters = {}; ///< of a piece, where that is told apart (end_of_word)
  std::vector<scored_piece> pieces = {};             ///< unigram; word_pieces: what words begin with
  std::vector<scored_piece> inner_pieces = {};       ///< word_pieces: what words go on with
  double unknown_score = 0;                          ///< unigram: of a character that is no piece
  text_rules rules = {};                             ///< besides
  std::string note = {}; ///< what whoever loads it should hear: where its files disagree
};

} // namespace transept::inline TRANSEPT_ABI
