// Tokens, and where each is in the text that it was made of; one or two texts as a model takes them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/core/types.hpp>
#include <transept/text/tokenizer.hpp>

namespace transept::inline TRANSEPT_ABI {

/// Part of a text, in bytes.
struct text_span {
  std::size_t begin, end; ///< [begin, end)

  bool operator==(const text_span&) const = default; ///< the same part
};

/// What encode_with_spans gives: as many spans as ids.
struct encoded_text {
  std::vector<token_id> ids; ///< those that tokenizer::encode gives
  /// What each was made of, whole characters: of two tokens that share one, both have it. Where a normalizer
  /// changes a text, what it was before. A space that is part of a token is part of its span.
  std::vector<text_span> spans;
};

/// What is left out where texts are too long: always from the end.
enum class truncation : std::uint8_t {
  /// Of the longer of two. If the shorter one has more than half of the room, both get half and the longer
  /// one
  /// the odd token, of equals the second, as Hugging Face's tokenizers have it.
  longest_first,
  first_text, ///< of the first
  second_text ///< of the second
};

/// What encode_input may be told.
struct input_options {
  std::size_t most_tokens = std::numeric_limits<std::size_t>::max(); ///< of all together
  truncation left_out = truncation::longest_first;                   ///< where there are more
  bool allows_special = false; ///< whether texts of special tokens are these (special_tokens::allowed)
};

/// One or two texts with what the tokenizer's file puts around and between them. All have as many members.
struct encoded_input {
  std::vector<token_id> ids;    ///< of all together
  std::vector<int> token_types; ///< as the template says: 0 of a first text, mostly 1 of a second
  std::vector<int> texts;       ///< which text a token is of, 0 or 1; −1: of none
  std::vector<text_span> spans; ///< where it is in that; {0, 0} where it is in none
};

/// The tokens of a text, and where each is in it. Throws what tokenizer::encode does.
TRANSEPT_FUNCTION encoded_text encode_with_spans(const tokenizer& tokenizer, std::string_view text,
                                                 special_tokens special = special_tokens::as_text);

/// A text as a model takes it, with what tokenizer::encode_prompt puts around it, or two texts with what
/// belongs between them, cut to `options.most_tokens`. Throws tokenizer_error for two texts where the
/// tokenizer's file says nothing of pairs; argument_error where nothing that may be left out makes them short
/// enough.
TRANSEPT_FUNCTION encoded_input encode_input(const tokenizer& tokenizer, std::string_view text,
                                             const input_options& options = {});
TRANSEPT_FUNCTION encoded_input encode_input(const tokenizer& tokenizer, std::string_view first,
                                             std::string_view second,
                                             const input_options& options = {}); ///< the same of two texts

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/text/impl/encoded_text.hpp>
#endif
