// What a batch is refused for (train/token_rows.hpp).
#pragma once

#include <cstddef>
#include <string>

#include <transept/core/error.hpp>
#include <transept/models/decoder_base.hpp>
#include <transept/train/loss.hpp>
#include <transept/train/token_rows.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

TRANSEPT_FUNCTION void check_batch(const decoder_shape& shape, token_rows tokens, token_rows targets) {
  if (tokens.rows() != targets.rows() || tokens.cols() != targets.cols())
    throw argument_error("tokens and targets must be of one shape; got " + std::to_string(tokens.rows()) +
                         " × " + std::to_string(tokens.cols()) + " and " + std::to_string(targets.rows()) +
                         " × " + std::to_string(targets.cols()));
  if (tokens.size() == 0) throw argument_error("a batch needs at least one token");
  if (static_cast<std::size_t>(tokens.cols()) > shape.most_positions())
    throw context_error("sequences of " + std::to_string(tokens.cols()) + " tokens do not fit the model's " +
                        std::to_string(shape.n_positions) + " positions");
  const auto check = [&](token_rows ids, token_id least, const char* what) {
    for (extent i = 0; i < ids.size(); ++i)
      if (ids.data()[i] < least || ids.data()[i] >= static_cast<token_id>(shape.vocab_size))
        throw argument_error(std::string(what) + " " + std::to_string(i) + " is " +
                             std::to_string(ids.data()[i]) + ", but ids of this model are from 0 to " +
                             std::to_string(shape.vocab_size - 1));
  };
  check(tokens, 0, "token");
  check(targets, no_target, "target");
}

} // namespace detail

} // namespace transept::inline TRANSEPT_ABI
