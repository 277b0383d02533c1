// How a SentencePiece model is read (text/sentencepiece_model.hpp).
#pragma once

#include <transept/text/impl/sentencepiece_vocabulary.hpp>
#include <transept/text/sentencepiece_model.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION vocabulary read_sentencepiece_model(const source_text& file) {
  return detail::vocabulary_of(detail::sentencepiece_file(file.text, file.name), file.name);
}

} // namespace transept::inline TRANSEPT_ABI
