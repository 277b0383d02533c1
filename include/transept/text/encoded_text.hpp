// Tokens, and where each is in the text that it was made of.
#pragma once

#include <cstddef>
#include <vector>

#include <transept/core/types.hpp>
#include <transept/core/version.hpp>

namespace transept::inline TRANSEPT_ABI {

/// Part of a text, in bytes.
struct text_span {
  std::size_t begin, end; ///< [begin, end)

  bool operator==(const text_span&) const = default; ///< the same part
};

/// What tokenizer::encode_with_spans gives: as many spans as ids.
struct encoded_text {
  std::vector<token_id> ids; ///< those that tokenizer::encode gives
  /// What each was made of, whole characters: of two tokens that share one, both have it. Where a normalizer
  /// changes a text, what it was before.
  std::vector<text_span> spans;
};

} // namespace transept::inline TRANSEPT_ABI
