// A batch gives every sequence the bits it would get alone.
#include <support/catch.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <memory>
#include <vector>

#include <support/allocation_count.hpp>

#include <transept/generate/batch.hpp>
#include <transept/generate/session.hpp>
#include <transept/models/gpt2.hpp>
#include <transept/models/initialise.hpp>

using namespace transept;
using Catch::Matchers::ContainsSubstring;

namespace {

// Odd sizes on purpose: no width is a multiple of a vector's.
constexpr gpt2_config odd{.n_embd = 36, .n_layer = 3, .n_head = 3, .vocab_size = 211, .n_positions = 150};
using numbers = std::vector<float>;
using ids = std::vector<token_id>;

const gpt2<odd>& model() {
  static const auto made = initialise<gpt2<odd>>(11, {.standard_deviation = 0.3f});
  return made;
}

token_id some_token(std::size_t i) { return static_cast<token_id>(i * 7919 % 211); }

ids some_tokens(std::size_t count, std::size_t first = 0) {
  ids tokens(count);
  for (std::size_t i = 0; i < count; ++i) tokens[i] = some_token(first + i);
  return tokens;
}

numbers copy(std::span<const float> values) { return {values.begin(), values.end()}; }

/// What a session says after `tokens`.
numbers alone(const ids& tokens) {
  session session(model(), {.threads = 1});
  return copy(forward(model(), session, tokens));
}

/// Texts of different lengths, which end at different times.
std::vector<ids> texts(std::size_t count) {
  std::vector<ids> made;
  for (std::size_t i = 0; i < count; ++i) made.push_back(some_tokens(1 + i * 37 % 70, 13 * i));
  return made;
}

} // namespace

TEST_CASE("every sequence of a batch gets the bits it gets alone, for any size and number of threads") {
  for (const int threads : {1, 2, 4}) {
    for (const std::size_t count : {1u, 2u, 3u, 4u, 5u, 8u, 17u}) {
      CAPTURE(threads, count);
      batch batch(model(), {.max_sequences = 20, .threads = threads});
      auto each = texts(count);
      for (const ids& text : each) forward(model(), batch, add(batch), text);
      REQUIRE(batch.size() == count);
      for (std::size_t step = 0; step < 40; ++step) {
        ids next;
        for (std::size_t i = 0; i < count; ++i) {
          next.push_back(some_token(100 * i + step));
          each[i].push_back(next.back());
        }
        forward(model(), batch, next);
      }
      for (std::size_t i = 0; i < count; ++i) {
        CHECK(batch.length(batch.sequences()[i]) == each[i].size());
        CHECK(copy(batch.logits(batch.sequences()[i])) == alone(each[i]));
      }
    }
  }
}

TEST_CASE("a batch that begins with steps, from empty sequences, is as good as one that was fed prompts") {
  batch batch(model(), {.max_sequences = 2});
  const auto a = add(batch), b = add(batch);
  CHECK(copy(batch.logits(a)) == numbers(211, 0.0f));
  for (std::size_t i = 0; i < 5; ++i) forward(model(), batch, ids{some_token(i), some_token(50 + i)});
  CHECK(copy(batch.logits(a)) == alone(some_tokens(5)));
  CHECK(copy(batch.logits(b)) == alone(some_tokens(5, 50)));
}

TEST_CASE("a fork is a sequence that was fed the same, and the two go on apart") {
  for (const std::size_t length : {1u, 31u, 32u, 33u, 70u}) {
    CAPTURE(length);
    batch batch(model(), {.max_sequences = 3, .threads = 2});
    const auto a = add(batch);
    forward(model(), batch, a, some_tokens(length));
    const auto b = fork(batch, a), c = fork(batch, b);
    CHECK(batch.length(c) == length);
    CHECK(copy(batch.logits(c)) == alone(some_tokens(length)));
    forward(model(), batch, ids{1, 2, 3});
    forward(model(), batch, c, some_tokens(5)); // one alone, in between
    forward(model(), batch, ids{4, 5, 6});
    const auto expected = [&](ids more) {
      ids all = some_tokens(length);
      all.insert(all.end(), more.begin(), more.end());
      return alone(all);
    };
    CHECK(copy(batch.logits(a)) == expected({1, 4}));
    CHECK(copy(batch.logits(b)) == expected({2, 5}));
    ids third{3};
    for (const token_id id : some_tokens(5)) third.push_back(id);
    third.push_back(6);
    CHECK(copy(batch.logits(c)) == expected(third));
  }
}

TEST_CASE("a sequence that is removed leaves the others as they are, and its place to another") {
  batch batch(model(), {.max_sequences = 4});
  const auto each = texts(4);
  for (const ids& text : each) forward(model(), batch, add(batch), text);
  CHECK(std::ranges::equal(batch.sequences(), std::vector<std::size_t>{0, 1, 2, 3}));
  forward(model(), batch, ids{1, 2, 3, 4});
  const auto with = [&](std::size_t i, ids more) {
    ids all = each[i];
    all.insert(all.end(), more.begin(), more.end());
    return alone(all);
  };

  remove(batch, 1);
  CHECK(std::ranges::equal(batch.sequences(), std::vector<std::size_t>{0, 2, 3}));
  CHECK(copy(batch.logits(0)) == with(0, {1}));
  CHECK(copy(batch.logits(2)) == with(2, {3}));
  CHECK(copy(batch.logits(3)) == with(3, {4}));

  forward(model(), batch, ids{5, 6, 7});
  remove(batch, 0);
  CHECK(copy(batch.logits(2)) == with(2, {3, 6}));
  const auto newcomer = add(batch); // where logits of others lie, or its number, must not matter
  CHECK(newcomer == 0);
  CHECK(copy(batch.logits(newcomer)) == numbers(211, 0.0f));
  CHECK(copy(batch.logits(2)) == with(2, {3, 6}));
  CHECK(copy(batch.logits(3)) == with(3, {4, 7}));
  forward(model(), batch, newcomer, some_tokens(40));
  CHECK(copy(batch.logits(2)) == with(2, {3, 6}));
  CHECK(copy(batch.logits(3)) == with(3, {4, 7}));
  CHECK(std::ranges::equal(batch.sequences(), std::vector<std::size_t>{2, 3, 0}));
  forward(model(), batch, ids{8, 9, 10});
  CHECK(copy(batch.logits(2)) == with(2, {3, 6, 8}));
  CHECK(copy(batch.logits(3)) == with(3, {4, 7, 9}));
  auto of_newcomer = some_tokens(40);
  of_newcomer.push_back(10);
  CHECK(copy(batch.logits(newcomer)) == alone(of_newcomer));

  reset(batch);
  CHECK(batch.size() == 0);
  CHECK(forward(model(), batch, add(batch), each[2]).size() == 211);
  CHECK(copy(batch.logits(0)) == alone(each[2]));
}

TEST_CASE("a sequence with NaN in it does not show in the others") {
  auto damaged = initialise<gpt2<odd>>(11, {.standard_deviation = 0.3f});
  numbers table(211 * 36);
  std::copy_n(static_cast<const float*>(damaged.tokens.weight.data()), table.size(), table.begin());
  table[17 * 36] = std::numeric_limits<float>::quiet_NaN();
  damaged.tokens.weight = {table.data(), element_type::f32, 211, 36};
  batch batch(damaged, {.max_sequences = 2});
  const auto sick = add(batch), sound = add(batch);
  forward(damaged, batch, ids{17, 5});
  forward(damaged, batch, ids{5, 6});
  // The output reads the table too: the logit of token 17 is NaN for both, the others only for the sick.
  CHECK(std::isnan(batch.logits(sick)[3]));
  CHECK_FALSE(std::isnan(batch.logits(sound)[3]));
}

TEST_CASE("what a batch cannot do is refused, and nothing has changed") {
  batch batch(model(), {.max_sequences = 2, .capacity = 20});
  CHECK_THROWS_WITH(forward(model(), batch, ids{}), ContainsSubstring("expected 0, found 0"));
  const auto a = add(batch);
  const auto before = copy(forward(model(), batch, a, some_tokens(19)));
  const auto b = add(batch);
  forward(model(), batch, b, some_tokens(3));
  CHECK_THROWS_WITH(add(batch), ContainsSubstring("made for 2 sequences"));
  CHECK_THROWS_AS(fork(batch, a), argument_error);
  CHECK_THROWS_WITH(fork(batch, 7), ContainsSubstring("holds no sequence 7"));
  CHECK_THROWS_WITH(remove(batch, 2), ContainsSubstring("holds no sequence 2"));
  CHECK_THROWS_AS(batch.logits(2), argument_error);
  CHECK_THROWS_AS(batch.length(2), argument_error);
  CHECK_THROWS_WITH(forward(model(), batch, ids{1}), ContainsSubstring("expected 2, found 1"));
  CHECK_THROWS_WITH(forward(model(), batch, ids{1, 2, 3}), ContainsSubstring("expected 2, found 3"));
  CHECK_THROWS_WITH(forward(model(), batch, ids{1, 211}), ContainsSubstring("token 1 is 211"));
  CHECK_THROWS_WITH(forward(model(), batch, ids{-1, 1}), ContainsSubstring("token 0 is -1"));
  CHECK_THROWS_AS(forward(model(), batch, a, ids{}), argument_error);
  CHECK_THROWS_AS(forward(model(), batch, a, ids{211}), argument_error);
  CHECK_THROWS_AS(forward(model(), batch, 2, ids{1}), argument_error);
  CHECK_THROWS_WITH(forward(model(), batch, a, ids{1, 2}), ContainsSubstring("19 tokens are in it, 2 more"));
  CHECK(batch.length(a) == 19);
  CHECK(copy(batch.logits(a)) == before);

  forward(model(), batch, ids{1, 2});
  const auto full = copy(batch.logits(a));
  CHECK_THROWS_AS(forward(model(), batch, ids{1, 2}), context_error);
  CHECK_THROWS_WITH(forward(model(), batch, ids{1, 2}),
                    ContainsSubstring("sequence 0 is full: it holds 20 tokens"));
  CHECK(batch.length(a) == 20);
  CHECK(batch.length(b) == 4);
  CHECK(copy(batch.logits(a)) == full);
  remove(batch, a);
  CHECK_NOTHROW(forward(model(), batch, ids{2}));

  constexpr gpt2_config other{.n_embd = 36, .n_layer = 2, .n_head = 3, .vocab_size = 211, .n_positions = 150};
  const auto stranger = initialise<gpt2<other>>(1);
  CHECK_THROWS_WITH(forward(stranger, batch, ids{2}),
                    ContainsSubstring("batch was made for a model of another shape"));
  CHECK_THROWS_AS(forward(stranger, batch, b, ids{2}), argument_error);
  using transept::batch_options;
  const auto make = [](batch_options options) { return transept::batch(model(), options).capacity(); };
  CHECK(make({}) == 150);
  CHECK_THROWS_WITH(make({.max_sequences = 0}), ContainsSubstring("max_sequences must be at least 1; got 0"));
  CHECK_THROWS_AS(make({.capacity = 151}), argument_error);
  CHECK_THROWS_AS(make({.capacity = -1}), argument_error);
  CHECK_THROWS_AS(make({.prompt_chunk = 0}), argument_error);
}

TEST_CASE("a batch allocates nothing once it is made, whoever comes and goes, in any thread") {
  if (!support::counts_allocations) {
    std::puts("SKIPPED: allocations cannot be counted under this sanitizer");
    return;
  }
  for (const int chunk : {2, 512}) {
    batch batch(model(), {.max_sequences = 9, .threads = 3, .prompt_chunk = chunk});
    const ids prompt = some_tokens(60);
    const ids step = some_tokens(9);
    const auto bytes = batch.workspace_capacity();
    const support::allocation_count allocations;
    const auto first = add(batch);
    forward(model(), batch, first, prompt);
    while (batch.size() < 9) fork(batch, first);
    for (std::size_t round = 0; round < 9; ++round) {
      forward(model(), batch, std::span(step).first(batch.size()));
      remove(batch, batch.sequences()[batch.size() / 2]);
    }
    const long made = allocations.so_far();
    CHECK(made == 0);
    CHECK(batch.workspace_capacity() == bytes);
  }
}

TEST_CASE("attention of a batch is divided over sequences and heads, so every thread works") {
  // One head: alone, a sequence gives its second thread nothing to attend.
  constexpr gpt2_config narrow{.n_embd = 8, .n_layer = 1, .n_head = 1, .vocab_size = 8, .n_positions = 8};
  const auto tiny = initialise<gpt2<narrow>>(1);
  const auto parts_of_a_step = [&](std::size_t sequences) {
    const auto pool = std::make_shared<thread_pool>(4);
    batch batch(tiny, {.max_sequences = 8, .pool = pool});
    while (batch.size() < sequences) add(batch);
    const ids tokens(sequences, 1);
    std::vector<std::uint64_t> parts;
    forward(tiny, batch, tokens);
    for (int i = 0; i < 4; ++i) parts.push_back(pool->parts_done(i));
    return parts;
  };
  const auto one = parts_of_a_step(1), eight = parts_of_a_step(8);
  for (std::size_t i = 1; i < 4; ++i) CHECK(eight[i] > one[i]);
}
