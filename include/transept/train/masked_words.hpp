// Masked words (Devlin et al. 2019, section 3.1): what an encoder is pretrained on. Of the tokens of a text
// some are chosen as targets; most of these are masked, some become any other word, some stay.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <transept/core/error.hpp>
#include <transept/core/function_ref.hpp>
#include <transept/core/types.hpp>

namespace transept::inline TRANSEPT_ABI {

/// Which tokens are chosen, and what becomes of them.
struct masking_options {
  token_id mask;          ///< [MASK]
  int vocab_size;         ///< other words are drawn from ids below it
  double rate = 0.15;     ///< of the tokens that are chosen
  double masked = 0.8;    ///< of these, those that become the mask
  double replaced = 0.1;  ///< and those that become any word; the rest stay
  std::uint64_t seed = 0; ///< of the choice
};

/// Masks `tokens` in place; targets [tokens] are the words that were chosen, no_target elsewhere. Tokens that
/// are special, is_special(id), are never chosen. A pure function of the options and `stream`, the number of
/// the text or batch. Returns how many were chosen. Throws argument_error for targets of another number, or
/// rates that are none.
TRANSEPT_FUNCTION std::size_t mask_words(std::span<token_id> tokens, std::span<token_id> targets,
                                         const masking_options& options, std::uint64_t stream,
                                         function_ref<bool(token_id)> is_special);

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/train/impl/masked_words.hpp>
#endif
