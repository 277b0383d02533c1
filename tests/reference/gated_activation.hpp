// Twin of gated linear units (Dauphin et al. 2017; Shazeer 2020): σ(x W) ⊙ (x V), for x [W | V] = gate_up.
#pragma once

#include "activation.hpp"
#include "arrays.hpp"

namespace reference {

inline matrix gated_activation(transept::activation_type type, const matrix& gate_up) {
  if (gate_up.size() == 0) return gate_up; // xtensor's views of nothing add to a null pointer
  const std::size_t inner = gate_up.shape(1) / 2;
  const matrix gate = xt::view(gate_up, xt::all(), xt::range(0, inner));
  const matrix up = xt::view(gate_up, xt::all(), xt::range(inner, 2 * inner));
  return activation<2>(type, gate) * up;
}

} // namespace reference
