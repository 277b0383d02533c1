// Samples of a batch are those that sessions would give one by one.
#include <support/catch.hpp>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <support/allocation_count.hpp>
#include <support/byte_tokenizer.hpp>

#include <transept/generate/batch_generation.hpp>
#include <transept/generate/session.hpp>
#include <transept/models/gpt2.hpp>
#include <transept/models/initialise.hpp>

using namespace transept;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr gpt2_config odd{.n_embd = 36, .n_layer = 3, .n_head = 3, .vocab_size = 256, .n_positions = 150};
using ids = std::vector<token_id>;

const gpt2<odd>& model() {
  static const auto made = initialise<gpt2<odd>>(11, {.standard_deviation = 0.3f});
  return made;
}

auto nth_sampler(std::size_t stream) {
  return repetition_penalty(1.2f) | temperature(0.9f) | top_k(40) | top_p(0.97f) | draw(/*seed*/ 5, stream);
}

generation_result alone(const ids& prompt, std::size_t stream, const generation_options& options,
                        int capacity = 0) {
  session session(model(), {.threads = 1, .capacity = capacity});
  return generate(model(), session, prompt, nth_sampler(stream), options, [](const generated_token&) {});
}

} // namespace

TEST_CASE("sample i of a batch is what a session gives with the same sampler") {
  const ids prompt{3, 1, 4, 1, 5, 9, 2, 6};
  // Some samples choose a stop token, each at its own time.
  const generation_options options{.max_new_tokens = 60, .stop_tokens = {7, 77, 177, 200, 201, 202}};
  for (const std::size_t count : {1u, 2u, 5u, 16u}) {
    std::vector<generation_result> expected;
    for (std::size_t i = 0; i < count; ++i) expected.push_back(alone(prompt, i, options));
    if (count == 16) { // ragged indeed
      std::map<std::size_t, int> lengths;
      for (const auto& each : expected) ++lengths[each.ids.size()];
      CHECK(lengths.size() > 5);
    }
    for (const int threads : {1, 2, 4}) {
      CAPTURE(count, threads);
      batch batch(model(), {.max_sequences = 16, .threads = threads});
      std::vector<ids> streamed(count);
      const auto found =
          generate_batch(model(), batch, prompt, count, nth_sampler, options,
                         [&](std::size_t i, const generated_token& token) { streamed[i].push_back(token); });
      REQUIRE(found.size() == count);
      for (std::size_t i = 0; i < count; ++i) {
        CHECK(found[i].ids == expected[i].ids);
        CHECK(found[i].finish_reason == expected[i].finish_reason);
        CHECK(streamed[i] == expected[i].ids);
        CHECK_FALSE(found[i].pending);
      }
      CHECK(batch.size() == 0);
      // The batch can be used again, and other samplers choose otherwise.
      const auto again = generate_batch(
          model(), batch, prompt, count, [](std::size_t i) { return nth_sampler(100 + i); }, options);
      CHECK(again[0].ids == alone(prompt, 100, options).ids);
    }
  }
}

TEST_CASE("the samples of a batch end for the reasons that a session's do") {
  const ids prompt{3, 1, 4};
  const auto agree = [&](const generation_options& options, finish_reason reason, int capacity = 0) {
    batch batch(model(), {.max_sequences = 6, .capacity = capacity});
    const auto found = generate_batch(model(), batch, prompt, 6, nth_sampler, options);
    for (std::size_t i = 0; i < 6; ++i) {
      const auto expected = alone(prompt, i, options, capacity);
      CHECK(found[i].ids == expected.ids);
      CHECK(found[i].finish_reason == expected.finish_reason);
    }
    CHECK(std::ranges::count(found, reason, &generation_result::finish_reason) > 0);
  };
  agree({.max_new_tokens = 0}, finish_reason::max_new_tokens);
  agree({.max_new_tokens = 1}, finish_reason::max_new_tokens);
  agree({}, finish_reason::context_full, 20);
  agree({.max_new_tokens = 18}, finish_reason::max_new_tokens, 20);
  agree({.max_new_tokens = 19}, finish_reason::context_full, 20);
  const auto tokenizer = support::byte_tokenizer();
  agree({.max_new_tokens = 100, .stop_strings = {"a", "e", "\n"}, .tokenizer = &tokenizer},
        finish_reason::stop_string);

  SECTION("and a callback that returns false ends its sample alone") {
    batch batch(model(), {.max_sequences = 6});
    std::vector<std::size_t> told(6);
    const auto found = generate_batch(model(), batch, prompt, 6, nth_sampler, {.max_new_tokens = 10},
                                      [&](std::size_t i, const generated_token&) { return ++told[i] <= i; });
    for (std::size_t i = 0; i < 6; ++i) {
      CHECK(found[i].finish_reason == finish_reason::callback);
      CHECK(found[i].ids.size() == i + 1);
      const auto expected = alone(prompt, i, {.max_new_tokens = i + 1});
      CHECK(found[i].ids == expected.ids);
    }
  }
}

TEST_CASE("samples of a batch come with the log-probabilities that a session gives") {
  const ids prompt{9, 8};
  const generation_options options{
      .max_new_tokens = 12, .log_probabilities = true, .top_log_probabilities = 3, .history = {40, 41}};
  batch batch(model(), {.max_sequences = 3});
  std::vector<std::vector<float>> found(3), expected(3);
  const auto keep = [](std::vector<float>& to, const generated_token& token) {
    to.push_back(token.log_probability);
    for (const auto& top : token.top) to.push_back(top.log_probability);
  };
  generate_batch(model(), batch, prompt, 3, nth_sampler, options,
                 [&](std::size_t i, const generated_token& token) { keep(found[i], token); });
  for (std::size_t i = 0; i < 3; ++i) {
    session session(model());
    for (const auto& token : generate(model(), session, prompt, nth_sampler(i), options))
      keep(expected[i], token);
  }
  CHECK(found == expected);
  CHECK(found[0].size() == 12 * 4);
}

TEST_CASE("generating with a batch allocates nothing once the first tokens are out, in any thread") {
  if (!support::counts_allocations) {
    std::puts("SKIPPED: allocations cannot be counted under this sanitizer");
    return;
  }
  batch batch(model(), {.max_sequences = 8, .threads = 3});
  const ids prompt{1, 2, 3};
  const support::allocation_count allocations;
  long first = -1, last = 0;
  std::size_t count = 0;
  generate_batch(model(), batch, prompt, 8, nth_sampler, // some end on the way
                 {.max_new_tokens = 80, .stop_tokens = {7, 77}, .log_probabilities = true},
                 [&](std::size_t, const generated_token&) {
                   last = allocations.so_far();
                   if (first < 0) first = last;
                   ++count;
                 });
  CHECK(last - first == 0);
  CHECK(first > 0); // they are counted
  CHECK(count > 100);
}

TEST_CASE("one prompt is run through the model once for all samples") {
  // Of a prompt of 120 tokens and 8 samples of one token each, no second run: the work is that of one.
  const auto pool = std::make_shared<thread_pool>(1);
  const ids prompt(120, 3);
  const auto parts = [&](std::size_t samples) {
    batch batch(model(), {.max_sequences = 8, .pool = pool});
    const auto before = pool->parts_done(0);
    generate_batch(model(), batch, prompt, samples, nth_sampler, {.max_new_tokens = 1});
    return pool->parts_done(0) - before;
  };
  CHECK(parts(8) == parts(1));
}

TEST_CASE("what is wrong with a batch's generation is told, and the batch is empty afterwards") {
  batch batch(model(), {.max_sequences = 4, .capacity = 20});
  const ids prompt{1, 2, 3};
  const auto run = [&](const ids& tokens, std::size_t samples, generation_options options = {}) {
    return generate_batch(model(), batch, tokens, samples, nth_sampler, options);
  };
  CHECK_THROWS_WITH(run(prompt, 0), ContainsSubstring("from 1 to the batch's max_sequences, 4; got 0"));
  CHECK_THROWS_AS(run(prompt, 5), argument_error);
  CHECK_THROWS_AS(run({}, 2), argument_error);
  CHECK_THROWS_AS(run({1, 256}, 2), argument_error);
  CHECK_THROWS_AS(run(ids(21, 1), 2), context_error);
  CHECK_THROWS_AS(run(prompt, 2, {.stop_strings = {"x"}}), argument_error); // no tokenizer
  CHECK_THROWS_AS(run(prompt, 4, {.context_full = context_full_policy::throw_error}), context_error);
  CHECK(batch.size() == 0);
  const auto bad = [](std::size_t i) {
    return std::function<token_id(candidates&)>(
        [i](candidates&) -> token_id { return i == 2 ? 256 : 1; }); // not in the vocabulary
  };
  CHECK_THROWS_AS(generate_batch(model(), batch, prompt, 4, bad), argument_error);
  const auto throwing = [](std::size_t, const generated_token&) { throw std::runtime_error("mine"); };
  CHECK_THROWS_WITH(generate_batch(model(), batch, prompt, 4, nth_sampler, {}, throwing), "mine");
  CHECK(batch.size() == 0);
  CHECK(run(prompt, 4, {.max_new_tokens = 3})[3].ids.size() == 3);

  const auto mine = add(batch);
  CHECK_THROWS_WITH(run(prompt, 1), ContainsSubstring("needs an empty batch; this one holds 1"));
  CHECK(batch.holds(mine)); // it was not generate_batch's to empty
}
