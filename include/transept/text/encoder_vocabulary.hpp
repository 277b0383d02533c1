// What a learned vocabulary needs for an encoder: RoBERTa's special tokens (Liu et al. 2019), and that they
// are put around texts.
//
//   bpe_options options{.special_tokens = encoder_special_tokens()};
//   vocabulary learned = learn_vocabulary(words, options);
//   put_around_texts(learned);                     // <s> text </s>;  <s> first </s></s> second </s>
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/text/tokenizer.hpp>

namespace transept::inline TRANSEPT_ABI {

/// <s>, <pad>, </s>, <unk>, <mask>: with ids 0 to 4 in a vocabulary that begins with them.
TRANSEPT_FUNCTION std::vector<std::string> encoder_special_tokens();

/// Gives a vocabulary with these tokens the template that puts <s> and </s> around texts, as encode_input and
/// encode_prompt do then. Throws argument_error where it lacks one of both.
TRANSEPT_FUNCTION void put_around_texts(vocabulary& vocabulary);

/// A special token as texts have it: its bytes, without the space that words of a WordPiece begin with.
TRANSEPT_FUNCTION std::string_view special_token_text(const tokenizer& tokenizer, token_id token);

/// The special token of this text, if there is one.
TRANSEPT_FUNCTION std::optional<token_id> find_special_token(const tokenizer& tokenizer,
                                                             std::string_view text);

/// The token that masks a word: [MASK], or <mask>; nothing where the vocabulary has none.
TRANSEPT_FUNCTION std::optional<token_id> mask_token(const tokenizer& tokenizer);

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/text/impl/encoder_vocabulary.hpp>
#endif
