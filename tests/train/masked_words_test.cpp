// BERT's masking: how many, which, and what becomes of them.
#include <support/catch.hpp>

#include <cmath>
#include <vector>

#include <transept/train/loss.hpp>
#include <transept/train/masked_words.hpp>

using namespace transept;

TEST_CASE(
    "of the words that are chosen 80% are masked, 10% replaced, 10% stay; special tokens are not chosen") {
  std::vector<token_id> tokens(100'000), targets(tokens.size());
  for (std::size_t i = 0; i < tokens.size(); ++i) tokens[i] = static_cast<token_id>(i % 1000);
  const auto before = tokens;
  const masking_options options{.mask = 4, .vocab_size = 1000, .seed = 7};
  const auto is_special = [](token_id id) { return id < 5; };
  const std::size_t chosen = mask_words(tokens, targets, options, 3, is_special);
  std::size_t masked = 0, replaced = 0, kept = 0;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (targets[i] == no_target) {
      CHECK(tokens[i] == before[i]);
      continue;
    }
    CHECK(targets[i] == before[i]);
    CHECK(!is_special(before[i]));
    ++(tokens[i] == 4 ? masked : tokens[i] == before[i] ? kept : replaced);
  }
  const auto near = [](std::size_t found, double expected) { // within five standard deviations
    return std::abs(static_cast<double>(found) - expected) < 5 * std::sqrt(expected);
  };
  CHECK(near(chosen, 0.15 * 0.995 * 100'000));
  CHECK(near(masked, 0.8 * static_cast<double>(chosen)));
  CHECK(near(replaced, 0.1 * static_cast<double>(chosen)));
  CHECK(near(kept, 0.1 * static_cast<double>(chosen)));

  auto again = before, others = before;
  std::vector<token_id> more(targets.size());
  mask_words(again, more, options, 3, is_special);
  CHECK((again == tokens && more == targets)); // the same stream
  mask_words(others, more, options, 4, is_special);
  CHECK(others != tokens);
  // The first tokens of a text are chosen whatever stands behind them.
  std::vector<token_id> few(before.begin(), before.begin() + 100), its_targets(100);
  mask_words(few, its_targets, options, 3, is_special);
  CHECK(std::equal(few.begin(), few.end(), tokens.begin()));
}

TEST_CASE("masking refuses rates that are none") {
  std::vector<token_id> tokens(3), targets(2);
  const auto never = [](token_id) { return false; };
  CHECK_THROWS_AS(mask_words(tokens, targets, {.mask = 0, .vocab_size = 9}, 0, never), argument_error);
  targets.resize(3);
  CHECK_THROWS_AS(mask_words(tokens, targets, {.mask = 0, .vocab_size = 9, .rate = 1.5}, 0, never),
                  argument_error);
  CHECK_THROWS_AS(mask_words(tokens, targets, {.mask = 0, .vocab_size = 9, .replaced = 0.3}, 0, never),
                  argument_error);
  CHECK(mask_words(tokens, targets, {.mask = 0, .vocab_size = 9, .rate = 1}, 0, never) == 3);
}
