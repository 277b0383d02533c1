// Which hidden states are kept, and how (encode/encode.hpp).
#pragma once

#include <string>

#include <transept/core/error.hpp>
#include <transept/encode/encode.hpp>

namespace transept::inline TRANSEPT_ABI::detail {

TRANSEPT_FUNCTION void check_layers(const std::vector<int>& layers, std::size_t blocks) {
  const auto most = static_cast<int>(blocks);
  if (layers.empty()) throw argument_error("name at least one layer whose hidden states are wanted");
  for (const int layer : layers)
    if (layer > most || layer < -most - 1)
      throw argument_error("hidden states are those of layers 0 to " + std::to_string(most) + ", or −1 to " +
                           "−" + std::to_string(most + 1) + " from the last; got " + std::to_string(layer));
}

TRANSEPT_FUNCTION void feature_observer::hidden_state(std::size_t index, const float* rows, std::size_t count,
                                                      std::size_t width) {
  std::size_t place = 0;
  for (const int layer : request_.layers) {
    const std::size_t wanted =
        layer >= 0 ? static_cast<std::size_t>(layer) : blocks_ + 1 - static_cast<std::size_t>(-layer);
    if (wanted == index)
      for (std::size_t row = 0; row < count; ++row) {
        float* const to = &out_(first_ + row, place * width);
        for (std::size_t i = 0; i < width; ++i) to[i] += rows[row * width + i];
      }
    if (request_.concatenated) ++place;
  }
}

} // namespace transept::inline TRANSEPT_ABI::detail
