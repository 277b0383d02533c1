// What the library promises of decoding, each held by a test that can fail.
#include <support/catch.hpp>

#include <cmath>
#include <span>
#include <vector>

#include <support/allocation_count.hpp>

#include <transept/generate/generation.hpp>
#include <transept/generate/session.hpp>
#include <transept/models/gpt2.hpp>
#include <transept/models/initialise.hpp>

using namespace transept;

namespace {

constexpr gpt2_config small{.n_embd = 64, .n_layer = 3, .n_head = 4, .vocab_size = 997, .n_positions = 256};

} // namespace

TEST_CASE("decoding allocates nothing after the session is made, in any thread") {
  if (!support::counts_allocations) {
    std::puts("SKIPPED: allocations cannot be counted under this sanitizer");
    return;
  }
  const auto model = initialise<gpt2<small>>(1, {.standard_deviation = 0.2f});
  session session(model, {.threads = 3});
  const std::vector<token_id> prompt{1, 2, 3};
  auto tokens = generate(model, session, prompt,
                         repetition_penalty(1.1f) | temperature(0.9f) | top_k(50) | top_p(0.95f) | draw(7),
                         {.max_new_tokens = 200, .log_probabilities = true, .top_log_probabilities = 5});
  int count = 0;
  const support::allocation_count allocations;
  for (const auto& token : tokens) count += token >= 0;
  const long made = allocations.so_far();
  CHECK(made == 0);
  CHECK(count == 200);
}

TEST_CASE("the first prompt allocates nothing either") {
  if (!support::counts_allocations) {
    std::puts("SKIPPED: allocations cannot be counted under this sanitizer");
    return;
  }
  const auto model = initialise<gpt2<small>>(1);
  session session(model, {.threads = 2});
  const std::vector<token_id> prompt(200, 5);
  const support::allocation_count allocations;
  forward(model, session, prompt);
  const long made = allocations.so_far();
  CHECK(made == 0);
}

TEST_CASE("124M gives the same bits for 1, 2 and 4 threads, and every thread works") {
  const auto model = initialise<gpt2<gpt2_small>>(2026);
  std::vector<token_id> prompt(40);
  for (std::size_t i = 0; i < prompt.size(); ++i) prompt[i] = static_cast<token_id>(i * 7919 % 50257);

  std::vector<float> of_one_thread;
  for (int threads : {1, 2, 4}) {
    const auto pool = std::make_shared<thread_pool>(threads);
    session session(model, {.pool = pool, .capacity = 64});
    std::vector<float> all;
    const auto keep = [&](std::span<const float> logits) {
      all.insert(all.end(), logits.begin(), logits.end());
    };
    keep(forward(model, session, prompt)); // the kernels of many rows
    for (token_id token : {11, 222, 3333}) {
      const auto before = pool->parts_done(threads - 1);
      keep(forward(model, session, std::span(&token, 1))); // those of one
      // 12 layers of four matrix products and attention, and the output: each thread had a part of every one.
      for (int i = 0; i < threads; ++i) CHECK(pool->parts_done(i) >= 61);
      CHECK(pool->parts_done(threads - 1) >= before + 61);
    }
    if (threads == 1) {
      of_one_thread = all;
      CHECK(std::abs(all[0]) > 0.0f);
    } else {
      CHECK(all == of_one_thread);
    }
  }
}
