// Twin of the embedding.
#pragma once

#include <span>

#include "arrays.hpp"
#include <transept/core/types.hpp>

namespace reference {

/// y[t] = table[ids[t]]
inline matrix embedding(std::span<const transept::token_id> ids, const matrix& table) {
  matrix y = transept::make_array<2, double>({ids.size(), table.shape(1)});
  for (std::size_t t = 0; t < ids.size(); ++t)
    xt::view(y, t) = xt::view(table, static_cast<std::size_t>(ids[t]));
  return y;
}

} // namespace reference
