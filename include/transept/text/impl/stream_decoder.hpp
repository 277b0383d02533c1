// How bytes are held back until they are whole characters (text/stream_decoder.hpp).
#pragma once

#include <transept/text/stream_decoder.hpp>
#include <transept/text/unicode.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION stream_decoder::stream_decoder(const tokenizer& tokens, decoded_tokens which)
    : tokens_(&tokens), which_(which) {
  text_.reserve(most_held_back + tokens.longest_token());
}

TRANSEPT_FUNCTION std::string_view stream_decoder::push(token_id token) {
  const std::string_view bytes = tokens_->text_of(token, which_);
  text_.erase(0, shown_);
  text_ += bytes;
  shown_ = text_.size() - incomplete_suffix(text_);
  return std::string_view(text_).substr(0, shown_);
}

TRANSEPT_FUNCTION std::string_view stream_decoder::flush() {
  text_.erase(0, shown_);
  shown_ = text_.size();
  return text_;
}

} // namespace transept::inline TRANSEPT_ABI
