// A vocabulary as a tokenizer.json, which Hugging Face's `tokenizers` and read_tokenizer_json read.
#pragma once

#include <string>

#include <transept/core/error.hpp>
#include <transept/text/vocabulary.hpp>

namespace transept::inline TRANSEPT_ABI {

/// Of byte-pair encodings, of bytes or of characters. Merges that are equally early come in the order that
/// transformers gives them where it converts a SentencePiece model. Throws tokenizer_error for a vocabulary
/// that would be another one when it is read again.
TRANSEPT_FUNCTION std::string tokenizer_json_of(const vocabulary& from);

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/text/impl/tokenizer_json_writer.hpp>
#endif
