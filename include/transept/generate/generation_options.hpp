// What a generation is asked for, and what it yields.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <transept/core/types.hpp>
#include <transept/generate/finish_reason.hpp>
#include <transept/generate/speculation.hpp>
#include <transept/text/tokenizer.hpp>

namespace transept::inline TRANSEPT_ABI {

/// What to do when the session has no room for the next token.
enum class context_full_policy : std::uint8_t {
  stop,       ///< end with finish_reason::context_full
  throw_error ///< throw context_error
};

/// As max_new_tokens: as many as come.
inline constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

/// An aggregate: `{.max_new_tokens = 100, .stop_strings = {"\n\n"}, .tokenizer = &tokenizer}`.
struct generation_options {
  /// The default goes on until something else ends it, at the latest the full context.
  std::size_t max_new_tokens = unlimited;

  /// The model's choice of one of these ends the generation; the token is not yielded. The model's own
  /// (`model.settings.eos_token_ids`, where it has them) count too, unless ignore_eos.
  std::vector<token_id> stop_tokens = {};
  bool ignore_eos = false; ///< the model's own do not count

  /// The generation ends with the token that completes one of these (that token is yielded; generate_text
  /// cuts the text exactly). Needs the tokenizer, which must outlive the generation (generate_text has it).
  std::vector<std::string> stop_strings = {};
  const transept::tokenizer* tokenizer = nullptr; ///< the model's; null where there are no stop strings

  /// generate_text's: whether a prompt's text may name special tokens.
  special_tokens prompt = special_tokens::as_text;
  /// generate_text's: whether special tokens are in the text that comes out.
  decoded_tokens decoded = decoded_tokens::all;

  /// For the continuation. A prompt that does not fit throws context_error in any case.
  context_full_policy context_full = context_full_policy::stop;

  /// Fill in generated_token::log_probability, of the model's own distribution, before any filter.
  bool log_probabilities = false;
  /// Fill in that and generated_token::top, with so many of the likeliest tokens; 0: none.
  std::size_t top_log_probabilities = 0;

  /// Guesses that save passes of the model and change no token (speculation.hpp).
  transept::speculation speculation = {};

  /// Tokens before the prompt that repetition_penalty shall know: those already in the session.
  std::vector<token_id> history = {};
};

/// A token and the natural logarithm of the model's probability for it.
struct token_log_probability {
  token_id id;           ///< of the token
  float log_probability; ///< in nats
};

/// One step's outcome; converts to its id.
struct generated_token {
  token_id id = -1; ///< -1 before the first step
  /// In nats; NaN unless asked for.
  float log_probability = std::numeric_limits<float>::quiet_NaN();
  /// The likeliest tokens, likeliest first, ties by id; empty unless asked for. Valid until the next step.
  std::span<const token_log_probability> top = {};

  constexpr operator token_id() const { return id; } ///< where only that is wanted
};

/// What the callback form of generate returns.
struct generation_result {
  std::vector<token_id> ids;                                                ///< what was generated
  transept::finish_reason finish_reason = transept::finish_reason::running; ///< why it ended
  /// The last of ids, where it is not in the session: generation::pending.
  std::optional<token_id> pending = {};
  speculation_counts speculated = {}; ///< guesses, and those that came
};

} // namespace transept::inline TRANSEPT_ABI
