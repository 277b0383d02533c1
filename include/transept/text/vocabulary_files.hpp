// Reads the files a vocabulary comes in.
//
//   vocab.json         {"token": id, …}, tokens in the byte alphabet (byte_alphabet.hpp)
//   merges.txt         "left right" per line, earliest learned first; a first line "#version…", a byte-order
//                      mark, CRLF and empty lines are accepted
//   added_tokens.json  {"token": id, …}, tokens as plain text; all of them special
//   tokenizer.json     Hugging Face's fast tokenizers: all of it in one
//   vocab.txt          BERT's: a token per line
//
// A vocabulary of characters (character_vocabulary.hpp) may lack bytes, any other has a token for each.
// Ids may be in any order but are 0 to n-1, each once. JSON that is broken throws format_error; anything else
// that is wrong throws tokenizer_error; the message begins with the file's name.
#pragma once

#include <optional>
#include <string>
#include <vector>

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

/// Reads tokenizer.json of a byte-pair encoding, of bytes or of characters, of a unigram model or a
/// WordPiece, with the normalizers, pre-tokenizers and templates that are known (impl/tokenizer_json.hpp).
/// Whatever else it asks for that would change the tokens is refused, never ignored. `table`: a vocab.json
/// that lies beside it; where it says something else, that is told in the vocabulary's note.
TRANSEPT_FUNCTION vocabulary read_tokenizer_json(const source_text& file,
                                                 const std::optional<source_text>& table = std::nullopt);

/// What BERT's tokenizers have been told beside their vocab.txt.
struct bert_tokenizer_settings {
  bool lower_case = true;                                ///< do_lower_case
  bool ideographs_apart = true;                          ///< tokenize_chinese_chars
  std::optional<bool> strips_accents = {};               ///< strip_accents; none: where it is lower case
  std::string unknown = "[UNK]", begin = "[CLS]";        ///< their tokens, where the file has them
  std::string end = "[SEP]";                             ///< what is behind a prompt
  std::vector<std::string> others = {"[PAD]", "[MASK]"}; ///< special ones besides
};

/// Reads vocab.txt, of a WordPiece.
TRANSEPT_FUNCTION vocabulary read_vocabulary_lines(const source_text& file,
                                                   const bert_tokenizer_settings& settings = {});

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/text/impl/vocabulary_files.hpp>
#endif
