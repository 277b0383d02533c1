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

TRANSEPT_FUNCTION std::string_view special_token_text(const tokenizer& tokenizer, token_id token) {
  std::string_view text = tokenizer.bytes(token);
  if (text.starts_with(' ')) text.remove_prefix(1);
  return text;
}

TRANSEPT_FUNCTION std::optional<token_id> find_special_token(const tokenizer& tokenizer,
                                                             std::string_view text) {
  for (std::size_t id = 0; id < tokenizer.vocabulary_size(); ++id)
    if (const auto token = static_cast<token_id>(id);
        tokenizer.is_special(token) && special_token_text(tokenizer, token) == text)
      return token;
  return std::nullopt;
}

TRANSEPT_FUNCTION std::optional<token_id> mask_token(const tokenizer& tokenizer) {
  const auto mask = find_special_token(tokenizer, "[MASK]");
  return mask ? mask : find_special_token(tokenizer, "<mask>");
}

} // namespace transept::inline TRANSEPT_ABI
