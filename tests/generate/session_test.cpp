#include "logits_of.hpp"

#include <support/catch.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <thread>
#include <vector>

#include <transept/generate/inspection.hpp>
#include <transept/models/gpt2.hpp>
#include <transept/models/initialise.hpp>

using namespace transept;

namespace {

// Odd sizes on purpose: no width is a multiple of a vector's.
constexpr gpt2_config odd{.n_embd = 36, .n_layer = 3, .n_head = 3, .vocab_size = 211, .n_positions = 150};

const gpt2<odd>& model() {
  static const auto made = initialise<gpt2<odd>>(11, {.standard_deviation = 0.3f});
  return made;
}

std::vector<float> copy(std::span<const float> values) { return {values.begin(), values.end()}; }

} // namespace

TEST_CASE("a prompt gives the same bits whole, in chunks, token by token, and for any number of threads") {
  const auto tokens = some_tokens(130);
  session whole(model(), {.threads = 1});
  const auto expected = copy(forward(model(), whole, tokens));
  CHECK(*std::max_element(expected.begin(), expected.end()) > 0.1f); // not all zero

  for (int threads : {1, 2, 3, 4}) {
    for (int chunk : {1, 2, 3, 5, 17, 64}) {
      session chunked(model(), {.threads = threads, .prompt_chunk = chunk});
      CHECK(copy(forward(model(), chunked, tokens)) == expected);
    }
  }
  session by_hand(model(), {.threads = 2});
  forward(model(), by_hand, std::span(tokens).first(40));
  for (std::size_t i = 40; i < 60; ++i) forward(model(), by_hand, std::span(tokens).subspan(i, 1));
  CHECK(copy(forward(model(), by_hand, std::span(tokens).subspan(60))) == expected);
}

TEST_CASE("logits of all positions are those of each position alone") {
  const auto tokens = some_tokens(41);
  const auto vocabulary = static_cast<extent>(odd.vocab_size);
  std::vector<float> all(tokens.size() * 211);
  session at_once(model(), {.prompt_chunk = 16});
  const auto last =
      copy(forward(model(), at_once, tokens, {all.data(), static_cast<extent>(tokens.size()), vocabulary}));
  session one_by_one(model());
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const auto logits = forward(model(), one_by_one, std::span(tokens).subspan(i, 1));
    CHECK(std::equal(logits.begin(), logits.end(), all.begin() + static_cast<std::ptrdiff_t>(i) * 211));
  }
  CHECK(last == copy(one_by_one.logits()));
  reset(at_once);
  CHECK_THROWS_WITH(forward(model(), at_once, tokens, {all.data(), 3, vocabulary}),
                    Catch::ContainsSubstring("41 × 211"));
}

TEST_CASE("what was truncated is forgotten") {
  const auto tokens = some_tokens(70);
  session straight(model());
  const auto expected = copy(forward(model(), straight, tokens));

  session detour(model());
  forward(model(), detour, std::span(tokens).first(50));
  const auto wrong = std::vector<token_id>(40, 5);
  forward(model(), detour, wrong);
  CHECK(detour.length() == 90);
  truncate(detour, 33);
  CHECK(detour.length() == 33);
  CHECK(copy(forward(model(), detour, std::span(tokens).subspan(33))) == expected);
  CHECK_THROWS_AS(truncate(detour, 71), argument_error);
  reset(detour);
  CHECK(detour.length() == 0);
  CHECK(copy(forward(model(), detour, tokens)) == expected);
}

TEST_CASE("tokens that cannot be fed are refused, and nothing has changed") {
  session session(model(), {.capacity = 20});
  const auto before = copy(forward(model(), session, some_tokens(15)));
  const auto feed = [&](std::vector<token_id> tokens) { forward(model(), session, tokens); };
  CHECK_THROWS_AS(feed({}), argument_error);
  CHECK_THROWS_WITH(feed({3, -1}),
                    Catch::ContainsSubstring("token 1 is -1") && Catch::ContainsSubstring("from 0 to 210"));
  CHECK_THROWS_WITH(feed({211}), Catch::ContainsSubstring("token 0 is 211"));
  CHECK_THROWS_AS(feed(some_tokens(6)), context_error);
  CHECK_THROWS_WITH(feed(some_tokens(6)),
                    Catch::ContainsSubstring("15 tokens are in it, 6 more do not fit its 20"));
  CHECK(session.length() == 15);
  CHECK(copy(session.logits()) == before);
  CHECK_NOTHROW(feed(some_tokens(5)));
  CHECK_THROWS_AS(feed({1}), context_error);
}

TEST_CASE("a session is made for one shape of model, with sensible options") {
  constexpr gpt2_config other{.n_embd = 36, .n_layer = 2, .n_head = 3, .vocab_size = 211, .n_positions = 150};
  const auto stranger = initialise<gpt2<other>>(1);
  session session_of_stranger(stranger);
  const auto tokens = some_tokens(3);
  CHECK_THROWS_AS(forward(model(), session_of_stranger, tokens), argument_error);
  CHECK_THROWS_AS(session(model(), {.capacity = 151}), argument_error);
  CHECK_THROWS_AS(session(model(), {.capacity = -1}), argument_error);
  CHECK_THROWS_AS(session(model(), {.prompt_chunk = 0}), argument_error);
  CHECK(session(model()).capacity() == 150);
}

TEST_CASE("a session's workspace is large enough from the start") {
  for (int chunk : {1, 3, 4, 64, 256}) {
    session session(model(), {.threads = 3, .prompt_chunk = chunk});
    const auto bytes = session.workspace_capacity();
    forward(model(), session, some_tokens(140));
    std::vector<float> all(9 * 211);
    forward(model(), session, some_tokens(9), {all.data(), 9, 211});
    CHECK(session.workspace_capacity() == bytes);
  }
}

TEST_CASE("two sessions on one model run in two threads at once, with pools of their own or one together") {
  const auto tokens = some_tokens(60);
  session alone(model(), {.threads = 1});
  const auto expected = copy(forward(model(), alone, tokens));
  for (const auto& shared : {std::shared_ptr<thread_pool>(), std::make_shared<thread_pool>(2)}) {
    std::vector<float> results[2];
    const auto run = [&](std::vector<float>& result) {
      session own(model(), {.threads = 2, .pool = shared});
      for (std::size_t i = 0; i < tokens.size(); ++i) forward(model(), own, std::span(tokens).subspan(i, 1));
      result = copy(own.logits());
    };
    std::thread other(run, std::ref(results[0]));
    run(results[1]);
    other.join();
    CHECK(results[0] == expected);
    CHECK(results[1] == expected);
  }
}

TEST_CASE("an inspection shows what was asked for, across chunks and earlier tokens") {
  const auto tokens = some_tokens(50);
  session plain(model());
  const auto expected = copy(forward(model(), plain, tokens));

  session whole(model());
  const auto seen =
      inspect(model(), whole, tokens, {.hidden_states = true, .attentions = true, .logits = true});
  CHECK(seen.hidden_states.shape() == array_shape<3>{4, 50, 36});
  CHECK(seen.attentions.shape() == array_shape<4>{3, 3, 50, 50});
  CHECK(std::equal(expected.begin(), expected.end(), &seen.logits(49, 0)));
  CHECK(copy(whole.logits()) == expected);

  session chunked(model(), {.prompt_chunk = 8});
  forward(model(), chunked, std::span(tokens).first(13));
  const auto rest = inspect(model(), chunked, std::span(tokens).subspan(13),
                            {.hidden_states = true, .attentions = true, .logits = true});
  CHECK(rest.attentions.shape() == array_shape<4>{3, 3, 37, 50});
  bool hidden_same = true, attentions_same = true;
  for (std::size_t layer = 0; layer < 4; ++layer)
    for (std::size_t t = 13; t < 50; ++t)
      hidden_same =
          hidden_same && std::equal(&seen.hidden_states(layer, t, 0), &seen.hidden_states(layer, t, 0) + 36,
                                    &rest.hidden_states(layer, t - 13, 0));
  for (std::size_t layer = 0; layer < 3; ++layer)
    for (std::size_t head = 0; head < 3; ++head)
      for (std::size_t t = 13; t < 50; ++t) {
        const float* row = &seen.attentions(layer, head, t, 0);
        attentions_same =
            attentions_same && std::equal(row, row + 50, &rest.attentions(layer, head, t - 13, 0));
        CHECK(std::accumulate(row, row + 50, 0.0) == Approx(1.0).epsilon(1e-5));
        CHECK(std::count(row + t + 1, row + 50, 0.0f) == static_cast<std::ptrdiff_t>(49 - t));
      }
  CHECK(hidden_same);
  CHECK(attentions_same);

  session of_one_layer(model());
  const auto one = inspect(model(), of_one_layer, tokens, {.attentions = true, .attention_layer = 2});
  CHECK(one.attentions.shape() == array_shape<4>{1, 3, 50, 50});
  CHECK(std::equal(one.attentions.begin(), one.attentions.end(), &seen.attentions(2, 0, 0, 0)));
  CHECK_THROWS_WITH(inspect(model(), of_one_layer, tokens, {.attentions = true, .attention_layer = 3}),
                    Catch::ContainsSubstring("from 0 to 2") && Catch::ContainsSubstring("got 3"));

  session unasked(model());
  const auto nothing = inspect(model(), unasked, tokens, {});
  CHECK(nothing.hidden_states.size() == 0);
  CHECK(nothing.attentions.size() == 0);
  CHECK(nothing.logits.size() == 0);
  CHECK(copy(unasked.logits()) == expected);
}

TEST_CASE("parameters can be read by name") {
  const auto weight = parameter<2>(model(), "h.1.attn.c_attn.weight");
  CHECK(weight.shape() == array_shape<2>{36, 108});
  CHECK(weight(3, 5) ==
        static_cast<const float*>(model().blocks[1].attention.query_key_value.weight.data())[3 * 108 + 5]);
  CHECK(parameter<1>(model(), "ln_f.weight")(35) == 1.0f);
  CHECK_THROWS_WITH(parameter<1>(model(), "wte.weight"), Catch::ContainsSubstring("2 dimensions, not 1"));
  CHECK_THROWS_WITH(parameter<2>(model(), "h.3.ln_1.weight"),
                    Catch::ContainsSubstring("no parameter named h.3.ln_1.weight"));
}

TEST_CASE("weights that are not numbers show in the logits, and crash nothing") {
  auto damaged = initialise<gpt2<odd>>(3);
  std::vector<float> broken(36 * 211, NAN);
  damaged.tokens.weight = {broken.data(), element_type::f32, 211, 36};
  session session(damaged);
  const auto logits = forward(damaged, session, some_tokens(5));
  CHECK(std::all_of(logits.begin(), logits.end(), [](float x) { return std::isnan(x); }));
}
