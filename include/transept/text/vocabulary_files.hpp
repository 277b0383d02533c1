// Reads the files a vocabulary comes in.
//
//   vocab.json         {"token": id, …}, tokens in the byte alphabet (byte_alphabet.hpp)
//   merges.txt         "left right" per line, earliest learned first; a first line "#version…", a byte-order
//                      mark, CRLF and empty lines are accepted
//   added_tokens.json  {"token": id, …}, tokens as plain text; all of them special
//   tokenizer.json     Hugging Face's fast tokenizers: all of it in one
//
// A vocabulary of characters (character_vocabulary.hpp) may lack bytes, any other has a token for each.
// Ids may be in any order but are 0 to n-1, each once. JSON that is broken throws format_error; anything else
// that is wrong throws tokenizer_error; the message begins with the file's name.
#pragma once

#include <optional>
#include <string>

#include <transept/core/error.hpp>
#include <transept/text/tokenizer.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A file's content, and its name for messages.
struct source_text {
  std::string name; ///< for messages
  std::string text; ///< all of the file
};

/// Reads vocab.json and merges.txt, and added_tokens.json if there is one.
TRANSEPT_FUNCTION vocabulary read_vocabulary(const source_text& tokens, const source_text& merges,
                                             const std::optional<source_text>& added = std::nullopt);

/// Reads tokenizer.json of a byte-pair encoding, of bytes or of characters, with the normalizers,
/// pre-tokenizers and templates that are known (impl/tokenizer_json.hpp). Whatever else it asks for that
/// would change the tokens is refused, never ignored. `table`: a vocab.json that lies beside it; where it
/// says something else, that is told in the vocabulary's note.
TRANSEPT_FUNCTION vocabulary read_tokenizer_json(const source_text& file,
                                                 const std::optional<source_text>& table = std::nullopt);

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/text/impl/vocabulary_files.hpp>
#endif
