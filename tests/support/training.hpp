// A small model to train, and something that it can learn.
#pragma once

#include <cstddef>
#include <vector>

#include <transept/models/gpt2.hpp>
#include <transept/models/initialise.hpp>
#include <transept/tensor/buffer.hpp>
#include <transept/train/token_rows.hpp>

namespace support {

using transept::extent, transept::gpt2, transept::gpt2_config, transept::token_id;

inline constexpr gpt2_config small{
    .n_embd = 40, .n_layer = 2, .n_head = 4, .vocab_size = 300, .n_positions = 64};

template <gpt2_config Config>
gpt2<Config> some_model() {
  return transept::initialise<gpt2<Config>>(3, {.standard_deviation = 0.2f});
}

/// Sequences over 300 tokens that can be learnt: each token follows from the one before.
struct batch_of_ids {
  batch_of_ids(std::size_t sequences, std::size_t length, std::size_t first = 0)
      : tokens(sequences * length),
        targets(tokens.size()),
        rows(static_cast<extent>(sequences)),
        cols(static_cast<extent>(length)) {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      tokens[i] = static_cast<token_id>((first + i * 31) % 300);
      targets[i] = static_cast<token_id>((first + i * 31 + 31) % 300);
    }
  }
  transept::token_rows inputs() const { return {tokens.data(), rows, cols}; }
  transept::token_rows wanted() const { return {targets.data(), rows, cols}; }

  std::vector<token_id> tokens, targets;
  extent rows, cols;
};

inline std::vector<float> copy_of(const transept::buffer<float>& values) {
  return {values.data(), values.data() + values.size()};
}

} // namespace support
