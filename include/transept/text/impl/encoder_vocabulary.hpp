// Special tokens of encoders (text/encoder_vocabulary.hpp).
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/text/encoder_vocabulary.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION std::vector<std::string> encoder_special_tokens() {
  return {"<s>", "<pad>", "</s>", "<unk>", "<mask>"};
}

TRANSEPT_FUNCTION void put_around_texts(vocabulary& vocabulary) {
  const auto id_of = [&](std::string_view text) {
    for (const added_token& token : vocabulary.added)
      if (vocabulary.tokens[static_cast<std::size_t>(token.id)] == text) return token.id;
    throw argument_error("this vocabulary has no special token " + std::string(text));
  };
  const token_id begin = id_of("<s>"), end = id_of("</s>");
  vocabulary.rules.before = {begin};
  vocabulary.rules.after = {end};
  vocabulary.rules.pair = pair_template({begin}, {end, end}, {end}, 0);
}

TRANSEPT_FUNCTION std::optional<token_id> mask_token(const tokenizer& tokenizer) {
  for (const std::string_view name : {"[MASK]", "<mask>"}) {
    const auto ids = tokenizer.encode(name, special_tokens::allowed);
    if (ids.size() == 1 && tokenizer.is_special(ids.front())) return ids.front();
  }
  return std::nullopt;
}

} // namespace transept::inline TRANSEPT_ABI
