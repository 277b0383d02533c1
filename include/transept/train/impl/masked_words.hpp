// How tokens are masked (train/masked_words.hpp).
#pragma once

#include <string>

#include <transept/core/error.hpp>
#include <transept/core/random.hpp>
#include <transept/train/loss.hpp>
#include <transept/train/masked_words.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION std::size_t mask_words(std::span<token_id> tokens, std::span<token_id> targets,
                                         const masking_options& options, std::uint64_t stream,
                                         function_ref<bool(token_id)> is_special) {
  if (targets.size() != tokens.size())
    throw argument_error("mask_words: there must be as many targets as tokens, " +
                         std::to_string(tokens.size()) + "; got " + std::to_string(targets.size()));
  const auto is_share = [](double share) { return share >= 0 && share <= 1; };
  if (!is_share(options.rate) || !is_share(options.masked) || !is_share(options.replaced) ||
      options.masked + options.replaced > 1 || options.vocab_size < 1)
    throw argument_error(
        "mask_words: rates are from 0 to 1, those of masked and replaced words together too, "
        "and vocab_size is positive");
  std::size_t chosen = 0;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    targets[i] = no_target;
    random_stream random(options.seed ^ 0x6d61736b, stream); // "mask": apart from other uses of a seed
    random.discard(4 * i);
    if (is_special(tokens[i]) || random.uniform_double() >= options.rate) continue;
    targets[i] = tokens[i];
    ++chosen;
    const double fate = random.uniform_double();
    if (fate < options.masked)
      tokens[i] = options.mask;
    else if (fate < options.masked + options.replaced)
      tokens[i] = static_cast<token_id>(random.uniform_double() * options.vocab_size);
  }
  return chosen;
}

} // namespace transept::inline TRANSEPT_ABI
