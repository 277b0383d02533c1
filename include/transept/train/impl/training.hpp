// What options of training are refused (train/training.hpp).
#pragma once

#include <string>

#include <transept/core/error.hpp>
#include <transept/train/training.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

TRANSEPT_FUNCTION const training_options& checked_options(const training_options& options) {
  for (const float rate : {options.dropout.embedding, options.dropout.attention, options.dropout.residual})
    if (!(rate >= 0 && rate < 1))
      throw argument_error("a dropout rate must be at least 0 and less than 1; got " + std::to_string(rate));
  if (!(options.label_smoothing >= 0 && options.label_smoothing <= 1))
    throw argument_error("label_smoothing must be from 0 to 1; got " +
                         std::to_string(options.label_smoothing));
  if (!(options.clip_norm >= 0))
    throw argument_error("clip_norm must not be negative; got " + std::to_string(options.clip_norm));
  return options;
}

} // namespace detail

} // namespace transept::inline TRANSEPT_ABI
