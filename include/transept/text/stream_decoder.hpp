// Text as it comes, token by token, without ever showing half a character.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <transept/core/error.hpp>
#include <transept/core/types.hpp>
#include <transept/text/tokenizer.hpp>

namespace transept::inline TRANSEPT_ABI {

/// Gives the bytes of tokens as soon as they are whole characters. Holds back at most three bytes: those that
/// more bytes could still complete. Bytes that can no longer become UTF-8 come out as they are, so everything
/// that `push` and a last `flush` return, put together, is `tokenizer.decode` of the same tokens.
///
/// Refers to the tokenizer, which must live longer. Allocates at construction only. One thread at a time.
class stream_decoder {
public:
  /// Between two tokens of a text.
  explicit stream_decoder(const tokenizer& tokens, decoded_tokens which = decoded_tokens::all);
  explicit stream_decoder(const tokenizer&&,
                          decoded_tokens = decoded_tokens::all) = delete; // must live longer

  /// What can be shown once `token` has come, perhaps nothing, as of an id that no token has; valid until the
  /// next call. Throws tokenizer_error for a negative id, and is then unchanged.
  std::string_view push(token_id token);

  std::string_view operator()(token_id token) { return push(token); } ///< push, for algorithms

  /// At the end: the bytes held back, if any, complete or not. Afterwards the decoder is as new.
  std::string_view flush();

private:
  static constexpr std::size_t most_held_back = 3;

  const tokenizer* tokens_;
  decoded_tokens which_;
  std::string text_; // what was shown last, then what is held back
  std::size_t shown_ = 0;
};

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/text/impl/stream_decoder.hpp>
#endif
