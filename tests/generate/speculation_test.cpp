// Guesses change no token: whoever guesses, whatever the sampler, wherever the text ends.
#include <support/catch.hpp>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include <support/shipped_model.hpp>

#include <transept/generate/batch_generation.hpp>
#include <transept/generate/generate_text.hpp>
#include <transept/generate/generation.hpp>
#include <transept/generate/sampling.hpp>
#include <transept/generate/session.hpp>
#include <transept/io/load_model.hpp>
#include <transept/io/load_tokenizer.hpp>
#include <transept/models/gpt2.hpp>
#include <transept/models/initialise.hpp>

using namespace transept;

namespace {

using model_type = gpt2<any_gpt2>;
using tokens = std::vector<token_id>;

/// A model of random weights, small enough for many runs.
model_type random_model(std::uint64_t seed, element_type type = element_type::f32) {
  gpt2_config shape{.n_embd = 32, .n_layer = 2, .n_head = 4, .vocab_size = 40, .n_positions = 96};
  return initialise<model_type>(shape, {.bos_token_id = {}, .eos_token_ids = {7}}, seed,
                                {.type = type, .standard_deviation = 0.3f});
}

const tokens prompt{1, 2, 3, 4, 1, 2, 3, 4, 1, 2};

struct outcome {
  tokens ids;
  std::vector<float> log_probabilities;
  transept::finish_reason reason;
  std::optional<token_id> pending;
  std::size_t length;
  std::vector<float> logits_after; // of the session, after one token more

  bool operator==(const outcome&) const = default;
};

template <class Sampler>
outcome run(const model_type& model, session& session, Sampler sampler, generation_options options,
            speculation_counts* counts = nullptr) {
  reset(session);
  outcome made;
  options.log_probabilities = true;
  {
    auto range = generate(model, session, prompt, sampler, options);
    for (const auto& token : range) {
      made.ids.push_back(token.id);
      made.log_probabilities.push_back(token.log_probability);
    }
    made.reason = range.finish_reason();
    made.pending = range.pending();
    if (counts) *counts = range.speculated();
  }
  made.length = session.length();
  if (made.length < session.capacity()) {
    const auto logits = forward(model, session, tokens{5});
    made.logits_after.assign(logits.begin(), logits.end());
  }
  return made;
}

/// A drafter that knows what comes, and errs at every `period`-th token.
drafter oracle(const tokens& text, std::size_t period) {
  return [text, period](std::span<const token_id> so_far, std::span<token_id> drafts) {
    std::size_t count = 0;
    while (count < drafts.size() && so_far.size() + count < text.size()) {
      drafts[count] = text[so_far.size() + count];
      if ((so_far.size() + count) % period == 0) drafts[count] = (drafts[count] + 1) % 40;
      ++count;
    }
    return count;
  };
}

} // namespace

TEST_CASE("whoever guesses, a text is the same to its last bit, and so is the session behind it") {
  for (const element_type type : {element_type::f32, element_type::bf16, element_type::q8_0}) {
    const model_type model = random_model(3, type), other = random_model(4);
    session text(model, {.threads = 2}), guesses(other, {.threads = 1});
    for (std::uint64_t seed = 0; seed < 4; ++seed) {
      const auto with = [&](drafter draft, std::size_t most, speculation_counts* counts = nullptr) {
        generation_options options{.max_new_tokens = 40};
        options.speculation = {.draft = std::move(draft), .most_drafts = most};
        if (seed == 0) return run(model, text, greedy(), options, counts);
        return run(model, text,
                   repetition_penalty(1.1f) | temperature(0.9f) | top_k(20) | transept::draw(seed), options,
                   counts);
      };
      const outcome plain = with({}, 8);
      tokens whole = prompt;
      whole.insert(whole.end(), plain.ids.begin(), plain.ids.end());
      speculation_counts counts;
      CHECK(with(oracle(whole, 1000), 8, &counts) == plain);
      if (plain.ids.size() > 10) CHECK(counts.accepted > plain.ids.size() / 2);
      CHECK(with(oracle(whole, 3), 14) == plain);
      CHECK(with(oracle(whole, 1), 4, &counts) == plain);
      CHECK(counts.accepted == 0);
      CHECK(with(lookup_drafter(), 8) == plain);
      CHECK(with(lookup_drafter(3, 1), 1) == plain);
      CHECK(with(model_drafter(other, guesses, 0.0f), 5) == plain);
      CHECK(with(model_drafter(other, guesses), 5) == plain);
    }
  }
}

TEST_CASE("the model itself as its own drafter is always right") {
  const model_type model = random_model(5);
  session text(model), same(model);
  generation_options options{.max_new_tokens = 60, .ignore_eos = true};
  const outcome plain = run(model, text, greedy(), options);
  options.speculation = {.draft = model_drafter(model, same, 0.0f)};
  speculation_counts counts;
  const outcome drafted = run(model, text, greedy(), options, &counts);
  CHECK(drafted == plain);
  CHECK(counts.accepted == counts.drafted);
  CHECK(counts.accepted > 0);
}

TEST_CASE("a text with guesses ends where it would without: full, stopped, left") {
  const model_type model = random_model(6);
  session text(model);
  const outcome full = run(model, text, greedy(), {.ignore_eos = true});
  CHECK(full.reason == finish_reason::context_full);
  tokens whole = prompt;
  whole.insert(whole.end(), full.ids.begin(), full.ids.end());
  generation_options options{.ignore_eos = true, .speculation = {.draft = oracle(whole, 1000)}};
  CHECK(run(model, text, greedy(), options) == full);
  options.stop_tokens = {full.ids[20]};
  const outcome drafted = run(model, text, greedy(), options);
  options.speculation = {};
  CHECK(drafted == run(model, text, greedy(), options));
  CHECK(drafted.reason == finish_reason::stop_token);
  // Left in the middle of guesses, moved on the way: what was only guessed is not in the session.
  for (const std::size_t count : {1, 2, 3, 7}) {
    options.speculation = {.draft = oracle(whole, 1000)};
    options.stop_tokens = {};
    reset(text);
    {
      auto range = generate(model, text, prompt, greedy(), options);
      auto moved = std::move(range);
      std::size_t taken = 0;
      for (const auto& token : moved) {
        CHECK(token.id == full.ids[taken]);
        if (++taken == count) break;
      }
      CHECK(moved.pending() == full.ids[count - 1]);
    }
    CHECK(text.length() == prompt.size() + count - 1);
  }
}

TEST_CASE("a session that somebody else uses behind a loop that was left is left alone") {
  const model_type model = random_model(6);
  session text(model);
  const outcome full = run(model, text, greedy(), {.ignore_eos = true});
  tokens whole = prompt;
  whole.insert(whole.end(), full.ids.begin(), full.ids.end());
  reset(text);
  {
    auto range = generate(model, text, prompt, greedy(),
                          {.ignore_eos = true, .speculation = {.draft = oracle(whole, 1000)}});
    for (const auto& token : range)
      if (token.id == full.ids[2]) break;
    reset(text);
    forward(model, text, tokens{1, 2, 3});
  }
  CHECK(text.length() == 3);
}

TEST_CASE("drafts of another vocabulary are not fed") {
  const model_type model = random_model(6);
  session text(model);
  const outcome plain = run(model, text, greedy(), {.max_new_tokens = 20});
  speculation_counts counts;
  const drafter strange = [](std::span<const token_id>, std::span<token_id> drafts) {
    std::ranges::fill(drafts, token_id{40});
    return drafts.size();
  };
  CHECK(run(model, text, greedy(), {.max_new_tokens = 20, .speculation = {.draft = strange}}, &counts) ==
        plain);
  CHECK(counts.drafted == 0);
  batch together(model);
  CHECK_THROWS_AS(generate_batch(model, together, prompt, 2, [](std::size_t) { return greedy(); },
                                 {.speculation = {.draft = lookup_drafter()}}),
                  argument_error);
}

TEST_CASE(
    "lookup finds what followed the longest run of tokens that was there before, the latest place first") {
  const auto look = [](drafter draft, const tokens& text, std::size_t most) {
    tokens drafts(most);
    drafts.resize(draft(text, drafts));
    return drafts;
  };
  CHECK(look(lookup_drafter(), {1, 2, 3, 4, 9, 1, 2}, 3) == tokens{3, 4, 9});
  CHECK(look(lookup_drafter(), {1, 2, 3, 9, 1, 2, 4, 9, 1, 2}, 1) == tokens{4});
  CHECK(look(lookup_drafter(), {8, 1, 2, 3, 9, 1, 2, 4, 9, 8, 1, 2}, 1) == tokens{3}); // a longer run
  CHECK(look(lookup_drafter(), {1, 2, 3, 4}, 3).empty());
  CHECK(look(lookup_drafter(), {5, 6, 5}, 3).empty()); // too short a run
  CHECK(look(lookup_drafter(2, 1), {5, 6, 5}, 3) == tokens{6, 5});
  CHECK(look(lookup_drafter(), {}, 3).empty());
  // Token by token, and another text after it.
  const drafter draft = lookup_drafter();
  tokens text, drafts(2);
  for (const token_id id : {1, 2, 3, 7, 1, 2}) {
    text.push_back(id);
    drafts.resize(2);
    drafts.resize(draft(text, drafts));
  }
  CHECK(drafts == tokens{3, 7});
  CHECK(look(draft, {4, 4, 1, 2}, 2).empty());
  CHECK_THROWS_AS(lookup_drafter(2, 3), argument_error);
  CHECK_THROWS_AS(lookup_drafter(9, 3), argument_error);
}

TEST_CASE("speculation that cannot be is refused") {
  const model_type model = random_model(6);
  session text(model);
  generation_options options{.speculation = {.draft = lookup_drafter(), .most_drafts = 15}};
  CHECK_THROWS_AS(generate(model, text, prompt, greedy(), options), argument_error);
  options.speculation.most_drafts = 0;
  CHECK_THROWS_AS(generate(model, text, prompt, greedy(), options), argument_error);
}

TEST_CASE("drafts that never come are asked for ever more rarely") {
  detail::draft_pace pace;
  std::size_t passes = 0;
  for (int i = 0; i < 1000; ++i)
    if (const std::size_t count = pace.wanted(8); count > 0) {
      ++passes;
      pace.learn(count, 0);
    }
  CHECK(passes < 40);
  detail::draft_pace good;
  for (int i = 0; i < 10; ++i) good.learn(good.wanted(14), good.wanted(14));
  CHECK(good.wanted(14) == 14);
}

namespace {

/// A model that is never sure, and counts how often it is run.
struct unsure_model {
  mutable std::size_t runs = 0;
  std::vector<float> logits = std::vector<float>(40, 0.0f);

  friend std::span<const float> forward(const unsure_model& model, struct bare_session& session,
                                        std::span<const token_id> text);
};
struct bare_session {
  std::size_t length = 0;
  std::size_t capacity() const { return 2000; }
  friend void truncate(bare_session& session, std::size_t to) { session.length = to; }
  friend void reset(bare_session& session) { session.length = 0; }
};
std::span<const float> forward(const unsure_model& model, bare_session& session,
                               std::span<const token_id> text) {
  ++model.runs;
  session.length += text.size();
  return model.logits;
}

} // namespace

TEST_CASE("a model that is never sure is asked ever more rarely, and keeps up with the text") {
  const unsure_model model;
  bare_session session;
  const drafter draft = model_drafter(model, session);
  tokens text, drafts(8);
  for (int i = 0; i < 1000; ++i) {
    text.push_back(i % 40);
    CHECK(draft(text, drafts) == 0);
  }
  CHECK(model.runs < 40);
  CHECK(session.length > 900);
}

TEST_CASE("the shipped model repeats itself sooner with guesses, in the same words") {
  const auto model = load<model_type>(support::shipped_model());
  const auto tokenizer = load_tokenizer(support::shipped_model());
  session text(model, {.threads = 1});
  const std::string begin = "ROMEO:\nI say the same. I say the same. I say the same. I say";
  const auto write = [&](transept::speculation how) {
    reset(text);
    return generate_text(model, text, tokenizer, begin, greedy(),
                         {.max_new_tokens = 60, .speculation = std::move(how)});
  };
  const text_result plain = write({}), quick = write({.draft = lookup_drafter()});
  CHECK(quick.text == plain.text);
  CHECK(quick.ids == plain.ids);
  CHECK(quick.speculated.accepted > 0);
  CHECK(plain.speculated.drafted == 0);
}
