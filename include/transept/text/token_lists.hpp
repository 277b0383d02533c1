// A vocabulary as lists, as GGUF files and SentencePiece's models hold it: tokens by id, a kind for each, and
// merges as "left right", or a score for each token that says how early it was learned.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/text/tokenizer.hpp>

namespace transept::inline TRANSEPT_ABI {

/// GGUF's kinds of tokens. Control tokens are special; user-defined ones are found in any text.
enum class token_kind : std::int32_t {
  normal = 1,
  unknown = 2,
  control = 3,
  user_defined = 4,
  unused = 5,
  byte = 6
};

/// What read_token_lists reads.
struct token_lists {
  std::string source;                            ///< the file's name, for messages
  std::span<const std::string_view> tokens;      ///< by id
  std::span<const std::int64_t> kinds;           ///< token_kind of each; none: all normal
  std::span<const std::string_view> merges = {}; ///< in the order they were learned
  /// Of each token, where merges are none: of two that could be made, that of the higher score is.
  std::span<const float> scores = {};
  /// by_characters: tokens are in SentencePiece's way of writing, else in the byte alphabet.
  text_rules rules = {};
};

/// Throws tokenizer_error for lists that contradict themselves.
TRANSEPT_FUNCTION vocabulary read_token_lists(const token_lists& lists);

/// The tokens of a vocabulary of byte pairs as files write them, by id.
struct written_tokens {
  std::vector<std::string>
      symbols; ///< in the byte alphabet, or in SentencePiece's way; added ones as they are
  std::vector<std::int32_t> kinds; ///< token_kind of each
};

/// What read_token_lists makes those tokens of.
TRANSEPT_FUNCTION written_tokens written_tokens_of(const vocabulary& from);

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/text/impl/token_lists.hpp>
#endif
