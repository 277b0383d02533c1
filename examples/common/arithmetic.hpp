// Floating-point operations: what training needs, and what the processor can do.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>

#include <transept/kernels/peak.hpp>
#include <transept/models/decoder.hpp>
#include <transept/runtime/thread_pool.hpp>

namespace examples {

/// Operations of the matrix products of a training step, attention's causal halves included: 2 for each
/// multiply-add forward, and 4 backward where all is trained. Frozen blocks have no backward pass; an output
/// matrix that is not trained has half of one. What is computed twice counts once.
inline double operations_of_step(const transept::decoder_shape& shape, double sequences, double length,
                                 std::size_t frozen_blocks = 0, bool output_is_trained = true) {
  const auto number = [](std::size_t n) { return static_cast<double>(n); };
  const double width = number(shape.n_embd), inner = number(shape.n_head * shape.head_width);
  const double keys = number(shape.n_key_value_head * shape.head_width);
  const double of_block =
      width * (2 * inner + 2 * keys) + width * number(shape.n_projected + shape.n_inner) + length * inner;
  const double of_blocks = of_block * (6 * number(shape.n_layer - frozen_blocks) + 2 * number(frozen_blocks));
  const double of_output = number(shape.n_output) * number(shape.vocab_size) * (output_is_trained ? 6 : 4);
  return sequences * length * (of_blocks + of_output);
}

/// Operations per second, a multiply-add being two, that `threads` do in registers: the best of three
/// measurements of some milliseconds.
inline double arithmetic_peak(transept::thread_pool& threads) {
  double least_seconds = 1e30, operations = 0;
  for (int i = 0; i < 3; ++i) {
    const auto start = std::chrono::steady_clock::now();
    std::atomic<double> done = 0;
    threads.run([&](int, int) { done += transept::kernels::multiply_in_registers(200'000); });
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    least_seconds = std::min(least_seconds, seconds.count());
    operations = done;
  }
  return operations / least_seconds;
}

} // namespace examples
