// Where a text begins (generate/generate_text.hpp).
#pragma once

#include <transept/core/error.hpp>
#include <transept/generate/generate_text.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

TRANSEPT_FUNCTION std::vector<token_id> prompt_ids(const tokenizer& tokenizer, std::string_view prompt,
                                                   special_tokens special) {
  std::vector<token_id> ids = tokenizer.encode_prompt(prompt, special);
  if (ids.empty()) {
    if (!tokenizer.end_of_text())
      throw argument_error("the prompt is empty, and the tokenizer has no end-of-text token to start from");
    ids.push_back(*tokenizer.end_of_text());
  }
  return ids;
}

} // namespace detail

} // namespace transept::inline TRANSEPT_ABI
