#include <transept/generate/generation.hpp>

#include <cmath>
#include <limits>
#include <ranges>
#include <string>
#include <vector>

#include <generate/fake_model.hpp>
#include <support/allocation_count.hpp>
#include <support/byte_tokenizer.hpp>
#include <support/catch.hpp>

using namespace transept;
using Catch::Matchers::ContainsSubstring;
using ids = std::vector<token_id>;

namespace {

template <class Range>
ids all_of(Range&& range) {
  ids result;
  for (const token_id id : range) result.push_back(id);
  return result;
}

constexpr float infinity = std::numeric_limits<float>::infinity();

} // namespace

TEST_CASE("generate yields tokens as a range") {
  const auto model = fake::counting_model();
  fake::session session;
  auto tokens = generate(model, session, ids{5, 6}, greedy(), {.max_new_tokens = 4});
  static_assert(std::ranges::input_range<decltype(tokens)>);
  static_assert(std::ranges::view<decltype(tokens)>);
  static_assert(!std::copyable<decltype(tokens)>);
  static_assert(std::same_as<std::ranges::range_value_t<decltype(tokens)>, generated_token>);
  CHECK(tokens.finish_reason() == finish_reason::running);
  CHECK(all_of(tokens) == ids{7, 8, 9, 10});
  CHECK(tokens.finish_reason() == finish_reason::max_new_tokens);
}

TEST_CASE("a step runs when its token is asked for, so take(3) costs the prompt and two steps") {
  const auto model = fake::counting_model();
  fake::session session;
  CHECK(all_of(generate(model, session, ids{0}, greedy()) | std::views::take(3)) == ids{1, 2, 3});
  CHECK(session.forwards == 3);
  CHECK(session.tokens == ids{0, 1, 2});

  SECTION("max_new_tokens costs no more than take") {
    fake::session other;
    CHECK(all_of(generate(model, other, ids{0}, greedy(), {.max_new_tokens = 3})) == ids{1, 2, 3});
    CHECK(other.forwards == 3);
  }
  SECTION("++ runs nothing, however the end is looked for") {
    fake::session other;
    auto tokens = generate(model, other, ids{0}, greedy());
    CHECK(other.forwards == 1); // the prompt
    auto at = tokens.begin();
    CHECK(at->id == 1);
    CHECK(other.forwards == 1);
    ++at;
    CHECK(other.forwards == 1);
    CHECK(tokens.finish_reason() == finish_reason::running);
    CHECK(other.forwards == 1);
    CHECK(at != tokens.end());
    CHECK(other.forwards == 2);
    CHECK(at->id == 2);
    CHECK(*at == 2);
    CHECK(other.forwards == 2);
    ++at;
    ++at; // passes over a token, which must be made all the same
    CHECK(other.forwards == 3);
    CHECK(*at == 4);
  }
  SECTION("max_new_tokens = 0 runs the prompt alone") {
    fake::session other;
    auto tokens = generate(model, other, ids{0, 1}, greedy(), {.max_new_tokens = 0});
    CHECK(all_of(tokens).empty());
    CHECK(tokens.finish_reason() == finish_reason::max_new_tokens);
    CHECK(other.forwards == 1);
  }
}

TEST_CASE("a generation goes through range adaptors and can be moved midway") {
  const auto model = fake::counting_model();
  fake::session session;
  auto even = [](token_id id) { return id % 2 == 0; };
  CHECK(all_of(generate(model, session, ids{0}, greedy()) | std::views::filter(even) | std::views::take(3)) ==
        ids{2, 4, 6});

  fake::session other;
  int step = 2;
  const auto last = [step](candidates& list) { return list[list.size() - 1].id - step; }; // not assignable
  auto tokens = generate(model, other, ids{0}, top_k(50) | last);
  CHECK(*tokens.begin() == 97);
  auto moved = std::move(tokens);
  CHECK(*moved.begin() == 97);
  fake::session third;
  moved = generate(model, third, ids{1}, top_k(50) | last);
  CHECK(all_of(std::ranges::ref_view(moved) | std::views::take(1)) == ids{97});
  CHECK(third.forwards == 1);
}

TEST_CASE("the prompt is not needed once generate has returned") {
  const auto model = fake::counting_model();
  fake::session session;
  auto prompt = std::make_unique<ids>(ids{1, 2, 3});
  auto tokens = generate(model, session, *prompt, repetition_penalty(1.5) | greedy(), {.max_new_tokens = 2});
  prompt.reset();
  CHECK(all_of(tokens) == ids{4, 5});
}

TEST_CASE("a stop token ends the generation and is not yielded") {
  auto model = fake::counting_model();
  const auto run = [&](generation_options options) {
    fake::session session;
    options.max_new_tokens = 8;
    auto tokens = generate(model, session, ids{0}, greedy(), options);
    ids result = all_of(tokens);
    CHECK((tokens.finish_reason() == finish_reason::stop_token) == (result.size() < 8));
    CHECK(tokens.pending().has_value() == (result.size() == 8));
    CHECK(all_of(tokens).empty()); // the end stays the end
    return result;
  };
  CHECK(run({.stop_tokens = {50, 4}}) == ids{1, 2, 3});
  CHECK(run({.stop_tokens = {1}}).empty());
  CHECK(run({}).size() == 8);
  model.settings.eos_token_ids = {7, 90};
  CHECK(run({}) == ids{1, 2, 3, 4, 5, 6});
  CHECK(run({.stop_tokens = {4}}) == ids{1, 2, 3});
  CHECK(run({.ignore_eos = true}).size() == 8);
  CHECK(run({.stop_tokens = {4}, .ignore_eos = true}) == ids{1, 2, 3});
}

TEST_CASE("a full context ends the generation, or throws, as the options say") {
  const auto model = fake::counting_model();
  fake::session session(5);
  auto tokens = generate(model, session, ids{0, 1, 2}, greedy());
  CHECK(all_of(tokens) == ids{3, 4, 5}); // the last one fits no more, and need not
  CHECK(tokens.finish_reason() == finish_reason::context_full);
  CHECK(session.tokens == ids{0, 1, 2, 3, 4});
  CHECK(tokens.pending() == 5);

  fake::session strict(5);
  ids seen;
  auto strict_tokens =
      generate(model, strict, ids{0, 1, 2}, greedy(), {.context_full = context_full_policy::throw_error});
  const auto run = [&] {
    for (const token_id id : strict_tokens) seen.push_back(id);
  };
  CHECK_THROWS_AS(run(), context_error);
  CHECK(seen == ids{3, 4, 5});
  CHECK(strict_tokens.finish_reason() == finish_reason::context_full);

  fake::session full(3);
  CHECK(all_of(generate(model, full, ids{0, 1, 2}, greedy())) == ids{3});
  fake::session small(2);
  CHECK_THROWS_AS(generate(model, small, ids{0, 1, 2}, greedy()), context_error);
}

TEST_CASE("a session goes on with the pending token before the next prompt") {
  const auto model = fake::counting_model();
  fake::session session;
  auto tokens = generate(model, session, ids{0}, greedy(), {.max_new_tokens = 2});
  CHECK_FALSE(tokens.pending());
  CHECK(all_of(tokens) == ids{1, 2});
  CHECK(session.tokens == ids{0, 1});
  CHECK(tokens.pending() == 2);
  CHECK(all_of(generate(model, session, ids{*tokens.pending(), 40}, greedy(), {.max_new_tokens = 1})) ==
        ids{41});
  CHECK(session.tokens == ids{0, 1, 2, 40});
}

TEST_CASE("a stop string ends the generation with the token that completes it") {
  // Tokens are bytes, and from 256 on: "ab", "bc".
  const tokenizer words = support::byte_tokenizer({"ab", "bcd"});
  auto model = fake::counting_model(258);
  const auto then = [&](token_id from, token_id to) {
    model.logits[static_cast<std::size_t>(from) * 258 + static_cast<std::size_t>(to)] = 40;
  };
  then('x', 256); // x ab | bcd …
  then(256, 257);
  const auto run = [&](std::vector<std::string> strings) {
    fake::session session;
    auto tokens = generate(model, session, ids{'x'}, greedy(),
                           {.max_new_tokens = 5, .stop_strings = strings, .tokenizer = &words});
    ids result = all_of(tokens);
    CHECK((tokens.finish_reason() == finish_reason::stop_string) == (result.size() < 5));
    return result;
  };
  CHECK(run({"zzz"}).size() == 5);
  CHECK(run({"bb"}) == ids{256, 257});
  CHECK(run({"abbc"}) == ids{256, 257}); // met inside a token
  CHECK(run({"a"}) == ids{256});
  CHECK(run({"nothing", "ab"}) == ids{256});
  CHECK(run({"xa"}).size() == 5); // the prompt is not searched
  fake::session session;
  CHECK_THROWS_WITH(generate(model, session, ids{0}, greedy(), {.stop_strings = {"a"}}),
                    ContainsSubstring(".tokenizer"));
  CHECK_THROWS_AS(generate(model, session, ids{0}, greedy(), {.stop_strings = {""}, .tokenizer = &words}),
                  argument_error);
}

TEST_CASE("log-probabilities are the model's own, before the filters") {
  fake::model model{4, std::vector<float>(16)};
  const std::vector<double> probabilities = {0.1, 0.5, 0.15, 0.25};
  for (std::size_t i = 0; i < 16; ++i)
    model.logits[i] = static_cast<float>(std::log(probabilities[i % 4]) - 7);
  fake::session session;
  const auto third = [](candidates& list) { return list[0].id; };
  int steps = 0;
  for (const generated_token& token :
       generate(model, session, ids{0}, repetition_penalty(3) | temperature(0.1) | top_k(1) | third,
                {.max_new_tokens = 3, .log_probabilities = true, .top_log_probabilities = 3})) {
    ++steps;
    CHECK(token.log_probability ==
          Approx(std::log(probabilities[static_cast<std::size_t>(token.id)])).margin(1e-6));
    REQUIRE(token.top.size() == 3);
    CHECK(token.top[0].id == 1);
    CHECK(token.top[1].id == 3);
    CHECK(token.top[2].id == 2);
    CHECK(token.top[1].log_probability == Approx(std::log(0.25)).margin(1e-6));
  }
  CHECK(steps == 3);
  fake::session others;
  const auto plain = generate(model, others, ids{0}, greedy(), {.max_new_tokens = 1});
  fake::session again;
  auto tokens = generate(model, again, ids{0}, greedy(), {.max_new_tokens = 1});
  const generated_token first = *tokens.begin();
  CHECK(std::isnan(first.log_probability));
  CHECK(first.top.empty());
  fake::session more;
  auto all = generate(model, more, ids{0}, greedy(), {.top_log_probabilities = 100});
  CHECK(all.begin()->top.size() == 4);
}

TEST_CASE("equal logits are listed by id in the top log-probabilities") {
  fake::model model{6, std::vector<float>(36, 1.0f)};
  fake::session session;
  auto tokens = generate(model, session, ids{0}, greedy(), {.top_log_probabilities = 3});
  ids top;
  for (const token_log_probability& each : tokens.begin()->top) {
    top.push_back(each.id);
    CHECK(each.log_probability == Approx(-std::log(6)));
  }
  CHECK(top == ids{0, 1, 2});
}

TEST_CASE("the repetition penalty knows the prompt, what was generated, and the history given") {
  fake::model model{5, std::vector<float>(25)};
  for (std::size_t i = 0; i < 25; ++i) model.logits[i] = 5 - 0.1f * static_cast<float>(i % 5);
  fake::session session, continued;
  const auto penalised = repetition_penalty(4) | greedy();
  CHECK(all_of(generate(model, session, ids{0, 2}, penalised, {.max_new_tokens = 3})) == ids{1, 3, 4});
  CHECK(all_of(generate(model, continued, ids{0}, penalised, {.max_new_tokens = 1, .history = {1, 2, 1}})) ==
        ids{3});
  fake::session wrong;
  CHECK_THROWS_AS(generate(model, wrong, ids{0}, penalised, {.history = {5}}), argument_error);
}

TEST_CASE("a callback gets the tokens, and ends the generation by returning false") {
  const auto model = fake::counting_model();
  fake::session session;
  ids seen;
  const auto result = generate(model, session, ids{0}, greedy(), {.max_new_tokens = 3},
                               [&](const generated_token& token) { seen.push_back(token.id); });
  CHECK(seen == ids{1, 2, 3});
  CHECK(result.ids == seen);
  CHECK(result.finish_reason == finish_reason::max_new_tokens);
  CHECK(session.forwards == 3);

  fake::session other;
  const auto stopped = generate(model, other, ids{0}, greedy(), {}, [](token_id id) { return id < 2; });
  CHECK(stopped.ids == ids{1, 2});
  CHECK(stopped.finish_reason == finish_reason::callback);
  CHECK(other.forwards == 2);
  CHECK(name_of(stopped.finish_reason) == "callback");
}

TEST_CASE("an empty prompt is an argument error") {
  const auto model = fake::counting_model();
  fake::session session;
  CHECK_THROWS_AS(generate(model, session, ids{}, greedy()), argument_error);
  CHECK_THROWS_WITH(generate(model, session, {}, greedy()), ContainsSubstring("prompt is empty"));
  CHECK(session.forwards == 0);
}

TEST_CASE("damaged logits are numeric errors at the step they come in, greedy or not") {
  auto model = fake::counting_model();
  const auto damage = [&](std::size_t after, float value) { model.logits[after * 100 + 37] = value; };
  damage(3, std::numeric_limits<float>::quiet_NaN());
  fake::session session;
  auto tokens = generate(model, session, ids{0}, greedy());
  ids seen;
  const auto run = [&] {
    for (const token_id id : tokens) seen.push_back(id);
  };
  CHECK_THROWS_WITH(run(), ContainsSubstring("token 37 is NaN") && ContainsSubstring("weights are damaged"));
  CHECK(seen == ids{1, 2, 3});
  CHECK(tokens.finish_reason() == finish_reason::error);
  CHECK_NOTHROW(run()); // it has ended
  CHECK(seen.size() == 3);

  fake::session other;
  CHECK_THROWS_AS(generate(model, other, ids{3}, draw(1)), numeric_error);
  damage(3, infinity);
  CHECK_THROWS_WITH(generate(model, other, ids{3}, draw(1)), ContainsSubstring("+infinity"));
  std::ranges::fill(std::span(model.logits).subspan(300, 100), -infinity);
  CHECK_THROWS_AS(generate(model, other, ids{3}, draw(1)), numeric_error);
}

TEST_CASE("a sampler that chooses no token of the vocabulary is an argument error") {
  const auto model = fake::counting_model();
  fake::session session;
  auto tokens = generate(model, session, ids{0}, [](candidates&) { return token_id{100}; });
  CHECK_THROWS_WITH(*tokens.begin(), ContainsSubstring("chose token 100"));
  auto negative = generate(model, session, ids{0}, [](candidates&) { return token_id{-1}; });
  CHECK_THROWS_AS(*negative.begin(), argument_error);
}

TEST_CASE("the same seed gives the same text, another seed another") {
  fake::model model{50, std::vector<float>(2500, 0.0f)};
  const auto text = [&](std::uint64_t seed) {
    fake::session session;
    return all_of(generate(model, session, ids{0}, temperature(0.9) | draw(seed), {.max_new_tokens = 40}));
  };
  CHECK(text(1) == text(1));
  CHECK(text(1) != text(2));
}

TEST_CASE("once the range is made, steps allocate nothing") {
  if (!support::counts_allocations) return;
  const tokenizer words = support::byte_tokenizer({"ab"});
  fake::model model{257, std::vector<float>(257 * 257)};
  fill_normal(model.logits, 1, 1);
  const auto allocations = [&](auto sampler, generation_options options) {
    fake::session session(400);
    auto tokens = generate(model, session, ids{0, 1, 2}, std::move(sampler), std::move(options));
    const support::allocation_count count;
    long length = 0;
    for (const generated_token& token : tokens) length += token.id >= 0;
    const long made = count.so_far();
    CHECK(length == 398);
    CHECK(tokens.finish_reason() == finish_reason::context_full);
    return made;
  };
  CHECK(allocations(greedy(), {}) == 0);
  CHECK(allocations(temperature(0.8) | draw(1), {}) == 0);
  CHECK(allocations(repetition_penalty(1.1) | temperature(1.5) | top_k(200) | top_p(0.95) | min_p(0.01) |
                        draw(1),
                    {.stop_tokens = {},
                     .stop_strings = {std::string(500, 'q')},
                     .tokenizer = &words,
                     .log_probabilities = true,
                     .top_log_probabilities = 10,
                     .history = {5, 6}}) == 0);
  const auto allocating = [](candidates& list) { return *std::make_unique<token_id>(list[0].id + 1); };
  CHECK(allocations(top_p(0.5) | allocating, {}) >= 0); // (it may be optimised away)
}
