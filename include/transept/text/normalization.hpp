// What a tokenizer does to a text before it cuts it: canonical composition and decomposition (Unicode
// Standard Annex 15) and lower case. Bytes that are no UTF-8 stay as they are, and nothing combines with
// them.
#pragma once

#include <string>
#include <string_view>

#include <transept/core/version.hpp>

namespace transept::inline TRANSEPT_ABI {

/// Whether the text is sure to be its own nfc(): a pass over its bytes that nearly all texts end with.
TRANSEPT_FUNCTION bool is_surely_nfc(std::string_view text);

/// Normalization form C: characters and the marks on them composed where there is a character for it.
TRANSEPT_FUNCTION std::string nfc(std::string_view text);

/// Normalization form KC: the same of characters that are variants of others (ﬁ, ①, full width) as these.
TRANSEPT_FUNCTION std::string nfkc(std::string_view text);

/// Normalization form D: every character decomposed, its marks in canonical order.
TRANSEPT_FUNCTION std::string nfd(std::string_view text);

/// Normalization form KD: form D, and variants of characters are these.
TRANSEPT_FUNCTION std::string nfkd(std::string_view text);

/// Each character's lower case, as Unicode has it where no language is told.
TRANSEPT_FUNCTION std::string lower_case(std::string_view text);

/// The text without its marks of category Mn: what is left of accents after nfd().
TRANSEPT_FUNCTION std::string without_marks(std::string_view text);

/// The text without its marks of any category.
TRANSEPT_FUNCTION std::string without_all_marks(std::string_view text);

/// Whether it is what regular expressions call \w: a letter, mark, decimal digit or connector.
TRANSEPT_FUNCTION bool is_word_character(char32_t code_point);

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/text/impl/normalization.hpp>
#endif
