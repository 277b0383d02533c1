// What a generation of several continuations needs (generate/batch_generation.hpp).
#pragma once

#include <string>

#include <transept/core/error.hpp>
#include <transept/generate/batch_generation.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

TRANSEPT_FUNCTION void check_samples(const batch& batch, std::size_t num_samples,
                                     const generation_options& options) {
  if (batch.size() != 0)
    throw argument_error("generate_batch needs an empty batch; this one holds " +
                         std::to_string(batch.size()) + " sequences");
  if (num_samples < 1 || num_samples > batch.max_sequences())
    throw argument_error("the number of samples must be from 1 to the batch's max_sequences, " +
                         std::to_string(batch.max_sequences()) + "; got " + std::to_string(num_samples));
  if (options.speculation.draft)
    throw argument_error("generate_batch does not speculate: guesses are for one text in a session");
}

} // namespace detail

} // namespace transept::inline TRANSEPT_ABI
