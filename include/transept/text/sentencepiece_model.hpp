// Reads SentencePiece's own file, tokenizer.model or spiece.model (Kudo and Richardson, "SentencePiece: a
// simple and language independent subword tokenizer and detokenizer for neural text processing", 2018).
#pragma once

#include <transept/core/error.hpp>
#include <transept/text/vocabulary.hpp>
#include <transept/text/vocabulary_files.hpp>

namespace transept::inline TRANSEPT_ABI {

/// Reads a model of types unigram, bpe and char; ids are those of SentencePiece. Control tokens are special,
/// and so is the unknown token; in a text it is the model's unk_surface. Throws format_error for a file that
/// is no such model, tokenizer_error for one that contradicts itself or is of another kind.
TRANSEPT_FUNCTION vocabulary read_sentencepiece_model(const source_text& file);

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/text/impl/sentencepiece_model.hpp>
#endif
