// From text to text, streamed.
#pragma once

#include <concepts>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/core/types.hpp>
#include <transept/generate/generation.hpp>
#include <transept/text/stop_matcher.hpp>
#include <transept/text/stream_decoder.hpp>
#include <transept/text/tokenizer.hpp>

namespace transept::inline TRANSEPT_ABI {

/// What generate_text returns.
struct text_result {
  std::vector<token_id> prompt_ids; ///< what was fed; of an empty text the end-of-text token
  std::vector<token_id> ids;        ///< what was generated, with the tokens that made a stop string
  std::string text;                 ///< of `ids`, up to the stop string
  transept::finish_reason finish_reason = transept::finish_reason::running; ///< why it ended
  std::optional<token_id> pending = {};                                     ///< see generation_result
  speculation_counts speculated = {};                                       ///< likewise
};

/// The callback of those who want only the result.
struct no_callback {
  void operator()(std::string_view) const {} ///< does nothing
};

/// Generates after the tokens `prompt` and calls `callback(std::string_view piece)` with the text as it
/// comes: whole characters only (bytes that are no UTF-8 come as they are), nothing of a stop string, and
/// nothing that could yet begin one. Where the callback returns a bool, false ends the generation. Throws as
/// `generate` does. Tokens that the tokenizer does not have, of a model with a padded vocabulary, are never
/// chosen.
template <class Model, class Session, class Sampler, class Callback = no_callback>
requires std::invocable<Callback&, std::string_view> text_result
generate_text(Model&& model, Session&& session, const tokenizer& tokenizer, std::span<const token_id> prompt,
              Sampler sampler, generation_options options = {}, Callback&& callback = {}) {
  text_result result;
  result.prompt_ids.assign(prompt.begin(), prompt.end());
  stream_decoder decoder(tokenizer, options.decoded);
  stop_matcher stop(options.stop_strings, tokenizer.longest_token() + 3);
  options.stop_strings.clear(); // looked for here, in the text

  // Returns whether to go on.
  const auto show = [&](std::string_view piece) {
    if (piece.empty()) return true;
    result.text += piece;
    if constexpr (std::is_void_v<std::invoke_result_t<Callback&, std::string_view>>) {
      std::invoke(callback, piece);
      return true;
    } else {
      return static_cast<bool>(std::invoke(callback, piece));
    }
  };

  auto tokens =
      transept::generate(std::forward<Model>(model), std::forward<Session>(session), prompt,
                         known_tokens(tokenizer.vocabulary_size()) | std::move(sampler), std::move(options));
  bool goes_on = true;
  for (const generated_token& token : tokens) {
    result.ids.push_back(token.id);
    goes_on = show(stop.push(decoder.push(token.id)));
    if (!goes_on || stop.stopped()) break;
  }
  if (goes_on && !stop.stopped()) goes_on = show(stop.push(decoder.flush()));
  if (goes_on && !stop.stopped()) goes_on = show(stop.flush());

  result.finish_reason = stop.stopped() ? finish_reason::stop_string
                         : !goes_on     ? finish_reason::callback
                                        : tokens.finish_reason();
  result.pending = tokens.pending();
  result.speculated = tokens.speculated();
  return result;
}

namespace detail {

/// The tokens of a prompt; of an empty one, where nothing is put before texts, the end-of-text token. Throws
/// argument_error if there is none.
TRANSEPT_FUNCTION std::vector<token_id> prompt_ids(const tokenizer& tokenizer, std::string_view prompt,
                                                   special_tokens special);

} // namespace detail

/// The same after a text (tokenizer::encode_prompt), as for a session that is new. An empty one means free
/// running, from the end-of-text token (argument_error if the tokenizer has none).
template <class Model, class Session, class Sampler, class Callback = no_callback>
requires std::invocable<Callback&, std::string_view> text_result
generate_text(Model&& model, Session&& session, const tokenizer& tokenizer, std::string_view prompt,
              Sampler sampler, generation_options options = {}, Callback&& callback = {}) {
  const std::vector<token_id> ids = detail::prompt_ids(tokenizer, prompt, options.prompt);
  return transept::generate_text(std::forward<Model>(model), std::forward<Session>(session), tokenizer,
                                 std::span<const token_id>(ids), std::move(sampler), std::move(options),
                                 std::forward<Callback>(callback));
}

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/generate/impl/generate_text.hpp>
#endif
