// Why a generation ended.
#pragma once

#include <cstdint>
#include <string_view>

#include <transept/core/version.hpp>

namespace transept::inline TRANSEPT_ABI {

/// Why a generation ended, or that it did not.
enum class finish_reason : std::uint8_t {
  running,        ///< it has not ended: the next token was not asked for yet
  max_new_tokens, ///< as many tokens as the options allow
  stop_token,     ///< the model chose a stop token (which is not yielded)
  stop_string,    ///< the last token completed a stop string
  context_full,   ///< the session has no room for another token
  callback,       ///< the callback returned false
  error           ///< a step threw; the exception went to the caller
};

/// "max_new_tokens" and so on, as in the enumeration.
constexpr std::string_view name_of(finish_reason reason) {
  switch (reason) {
  case finish_reason::running:
    return "running";
  case finish_reason::max_new_tokens:
    return "max_new_tokens";
  case finish_reason::stop_token:
    return "stop_token";
  case finish_reason::stop_string:
    return "stop_string";
  case finish_reason::context_full:
    return "context_full";
  case finish_reason::callback:
    return "callback";
  case finish_reason::error:
    return "error";
  }
  return "?";
}

} // namespace transept::inline TRANSEPT_ABI
