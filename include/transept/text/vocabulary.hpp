// What a tokenizer is made from: its tokens, its merges, and what it does to a text besides.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <transept/core/types.hpp>
#include <transept/text/byte_pairs.hpp>
#include <transept/text/splitting.hpp>

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

/// What is done to a whole text, or to what lies between two added tokens.
enum class normalizer : std::uint8_t {
  nfc,        ///< normalization form C
  nfkc,       ///< normalization form KC
  lower_case, ///< lower case
  bert        ///< control characters go, ideographs get spaces around them, accents go, lower case
};

/// Where a text gets a space before it, so that its first word is written as any other.
enum class space_prefix : std::uint8_t {
  none,
  always,        ///< before every text between added tokens (Prepend)
  unless_there,  ///< the same, where none is there (ByteLevel's add_prefix_space, Metaspace's "always")
  first_of_text, ///< the same, at the beginning alone (Metaspace's "first")
};

/// A character and its token.
struct character_token {
  char32_t character; ///< its code point
  token_id token;     ///< what merges begin with
};

/// What a tokenizer does besides merging; as it is made, GPT-2's.
struct text_rules {
  std::vector<normalizer> normalizers = {};         ///< in this order
  space_prefix prefix = space_prefix::none;         ///< behind the normalizers
  std::vector<splitting> steps = {splitting::gpt2}; ///< how it is cut

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

  std::vector<token_id> before = {}; ///< what a prompt has before it: beginning of text
  std::vector<token_id> after = {};  ///< what it has behind it

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
  text_rules rules = {};                             ///< besides
  std::string note = {}; ///< what whoever loads it should hear: where its files disagree
};

} // namespace transept::inline TRANSEPT_ABI
