// A small tokenizer: token i < 256 is the byte i; then the given tokens, which no merge leads to.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <transept/text/tokenizer.hpp>

namespace support {

inline transept::tokenizer byte_tokenizer(const std::vector<std::string>& more = {},
                                          const std::vector<transept::added_token>& added = {}) {
  transept::vocabulary vocabulary;
  for (std::size_t byte = 0; byte < 256; ++byte) {
    vocabulary.tokens.emplace_back(1, static_cast<char>(byte));
    vocabulary.byte_tokens[byte] = static_cast<transept::token_id>(byte);
  }
  vocabulary.tokens.insert(vocabulary.tokens.end(), more.begin(), more.end());
  vocabulary.added = added;
  return transept::tokenizer(vocabulary);
}

} // namespace support
