// Blocks that are run again in the backward pass: the same bits, for less memory.
#include <support/catch.hpp>

#include <cstddef>
#include <cstdio>
#include <vector>

#include <support/allocation_count.hpp>
#include <support/training.hpp>

#include <transept/models/gpt2.hpp>
#include <transept/train/training.hpp>

using namespace transept;
using support::batch_of_ids, support::copy_of, support::some_model;

namespace {

constexpr gpt2_config deep{.n_embd = 24, .n_layer = 4, .n_head = 3, .vocab_size = 300, .n_positions = 40};

constexpr dropout_settings dropping{.embedding = 0.1f, .attention = 0.2f, .residual = 0.1f, .seed = 5};

/// Parameters after two steps, and gradients after half a third.
struct outcome {
  std::vector<float> parameters, gradients;
  friend bool operator==(const outcome&, const outcome&) = default;
};

outcome outcome_of(const training_options& options) {
  trainer trainer(some_model<deep>(), options);
  const batch_of_ids batch(3, 37);
  for (int step = 0; step < 2; ++step) training_step(trainer, batch.inputs(), batch.wanted(), 1e-2);
  accumulate_gradients(trainer, batch.inputs(), batch.wanted());
  return {copy_of(trainer.parameters()), copy_of(trainer.gradients())};
}

} // namespace

TEST_CASE("recomputing blocks changes no bit, with dropout and frozen blocks, for 1, 2 and 3 threads") {
  for (const std::size_t frozen_blocks : {0u, 2u}) {
    const auto expected = outcome_of({.dropout = dropping, .frozen_blocks = frozen_blocks, .threads = 1});
    for (const int threads : {1, 2, 3}) {
      INFO(frozen_blocks << " frozen blocks, " << threads << " threads");
      CHECK(outcome_of({.dropout = dropping,
                        .frozen_blocks = frozen_blocks,
                        .recompute_blocks = true,
                        .threads = threads}) == expected);
    }
  }
  CHECK(outcome_of({.recompute_blocks = true}) == outcome_of({}));
}

TEST_CASE("a tape of recomputed blocks keeps one width per block, and one block's things") {
  const auto model = some_model<deep>();
  const batch_of_ids batch(2, 25);
  thread_pool threads(2);
  workspace memory;
  compute_context context{threads, memory};
  buffer<float> x(50 * 24), dx(50 * 24);
  std::fill_n(dx.data(), dx.size(), 1.0f);
  const parameter_layout layout(model);
  buffer<float> gradients = zeros(layout.trained_size());
  const auto gradient = gradient_of(model, layout, gradients);
  const std::size_t width = 50 * 24 * sizeof(float), heads = 50 * 3 * sizeof(float);
  for (const bool recompute : {false, true}) {
    tape tape;
    tape.recompute_blocks = recompute;
    whole_sequences sequences(25, &tape);
    forward(model, context, batch.tokens, sequences, activations<24>(x.data(), 50), tape);
    CHECK(tape.depth() == (recompute ? 0 : 4 * 8));
    backward(model, gradient, context, batch.tokens, sequences, activations<24>(dx.data(), 50), tape);
    CHECK(tape.depth() == 0);
    CHECK(tape.place() == 0);
    CHECK(tape.bytes() == (recompute ? 4 * width + 12 * width + heads : 4 * (12 * width + heads)));
  }
}

TEST_CASE("after the first step, a step that recomputes blocks allocates nothing") {
  if (!support::counts_allocations) {
    std::puts("SKIPPED: allocations cannot be counted under this sanitizer");
    return;
  }
  trainer trainer(some_model<deep>(), {.dropout = dropping, .recompute_blocks = true, .threads = 3});
  const batch_of_ids batch(4, 40), shorter(2, 30);
  training_step(trainer, batch.inputs(), batch.wanted(), 1e-3);
  const support::allocation_count allocations;
  for (int step = 0; step < 3; ++step) training_step(trainer, batch.inputs(), batch.wanted(), 1e-3);
  training_step(trainer, shorter.inputs(), shorter.wanted(), 1e-3);
  const long made = allocations.so_far();
  CHECK(made == 0);
}
