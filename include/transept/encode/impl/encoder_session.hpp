// How texts are put together and checked (encode/encoder_session.hpp).
#pragma once

#include <algorithm>
#include <string>

#include <transept/core/error.hpp>
#include <transept/encode/encoder_session.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION encoder_session::encoder_session(encoder_options options)
    : pool_(options.pool ? options.pool : std::make_shared<thread_pool>(options.threads)),
      tokens_at_once_(static_cast<std::size_t>(std::max(options.tokens_at_once, 1))) {
  if (options.tokens_at_once < 1)
    throw argument_error("tokens_at_once must be at least 1; got " + std::to_string(options.tokens_at_once));
}

TRANSEPT_FUNCTION std::size_t encoder_session::end_of_group(const encoder_input& input,
                                                            std::size_t first) const {
  std::size_t end = first + 1;
  while (end < input.texts() && input.offsets[end + 1] - input.offsets[first] <= tokens_at_once_) ++end;
  return end;
}

TRANSEPT_FUNCTION std::span<const std::size_t> encoder_session::offsets_of(const encoder_input& input,
                                                                           std::size_t first,
                                                                           std::size_t texts) {
  offsets_.assign(input.offsets.begin() + static_cast<std::ptrdiff_t>(first),
                  input.offsets.begin() + static_cast<std::ptrdiff_t>(first + texts + 1));
  for (std::size_t& offset : offsets_) offset -= input.offsets[first];
  return offsets_;
}

TRANSEPT_FUNCTION void text_batch::add(std::span<const token_id> tokens, std::span<const int> types) {
  if (tokens.empty()) throw argument_error("a text to encode needs at least one token");
  if (!types.empty() && types.size() != tokens.size())
    throw argument_error("a text of " + std::to_string(tokens.size()) + " tokens needs as many types; got " +
                         std::to_string(types.size()));
  tokens_.insert(tokens_.end(), tokens.begin(), tokens.end());
  if (types.empty())
    types_.resize(tokens_.size(), 0);
  else
    types_.insert(types_.end(), types.begin(), types.end());
  offsets_.push_back(tokens_.size());
}

TRANSEPT_FUNCTION void text_batch::clear() {
  tokens_.clear();
  types_.clear();
  offsets_.resize(1);
}

TRANSEPT_FUNCTION void check_texts(const decoder_shape& shape, std::size_t token_types,
                                   const encoder_input& input) {
  const auto of_token = [](std::size_t i) { return "token " + std::to_string(i); };
  if (input.offsets.empty() || input.offsets.front() != 0 || input.offsets.back() != input.tokens.size())
    throw argument_error("the offsets of texts must begin with 0 and end with the number of tokens, " +
                         std::to_string(input.tokens.size()));
  for (std::size_t s = 0; s < input.texts(); ++s) {
    if (input.offsets[s + 1] <= input.offsets[s])
      throw argument_error("text " + std::to_string(s) + " has no tokens");
    const std::size_t length = input.offsets[s + 1] - input.offsets[s];
    if (length > shape.n_positions)
      throw context_error("text " + std::to_string(s) + " has " + std::to_string(length) +
                          " tokens, and the model takes " + std::to_string(shape.n_positions) +
                          " at most: cut it, or divide it");
  }
  for (std::size_t i = 0; i < input.tokens.size(); ++i)
    if (input.tokens[i] < 0 || static_cast<std::size_t>(input.tokens[i]) >= shape.vocab_size)
      throw argument_error(of_token(i) + " is " + std::to_string(input.tokens[i]) +
                           ", but ids of this model are from 0 to " + std::to_string(shape.vocab_size - 1));
  if (!input.types.empty() && input.types.size() != input.tokens.size())
    throw argument_error("there must be as many token types as tokens, " +
                         std::to_string(input.tokens.size()) + "; got " + std::to_string(input.types.size()));
  if (token_types == 0) return; // types are not looked at
  for (std::size_t i = 0; i < input.types.size(); ++i)
    if (input.types[i] < 0 || static_cast<std::size_t>(input.types[i]) >= token_types)
      throw argument_error(of_token(i) + " is of type " + std::to_string(input.types[i]) +
                           ", but types of this model are from 0 to " + std::to_string(token_types - 1));
}

} // namespace transept::inline TRANSEPT_ABI
