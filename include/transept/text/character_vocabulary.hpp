// Vocabularies of characters: a token per character of a text, as nanoGPT's shakespeare-char has.
//
// A character is a Unicode code point, or a byte that is no UTF-8. Ids follow the code points, as nanoGPT's
// do. So that such a vocabulary is GPT-2's kind all the same and loads wherever that does, a character of
// more than one byte is reached by merging its bytes, left to right; the bytes and beginnings of characters
// that this takes have tokens too, after all characters, which come up in text alone that is no UTF-8. Bytes
// that no character of the text has have no token: encoding a text with one throws tokenizer_error.
#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/text/tokenizer.hpp>

namespace transept::inline TRANSEPT_ABI {

/// The characters of texts.
class character_set {
public:
  /// Adds the characters of a text.
  void add(std::string_view text);

  /// Adds those of another set.
  void add(const character_set& other);

  /// Their bytes, in the order of their code points; bytes that are no UTF-8 come last.
  std::vector<std::string> characters() const;

private:
  std::array<bool, 128> ascii_{};
  std::set<std::pair<std::uint32_t, std::string>> others_;
};

/// A token per character; see above. Special tokens come last.
TRANSEPT_FUNCTION vocabulary character_vocabulary(const character_set& characters,
                                                  std::span<const std::string> special = {});

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/text/impl/character_vocabulary.hpp>
#endif
