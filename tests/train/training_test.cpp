// What training promises besides right gradients (pytorch_test.cpp).
#include <support/catch.hpp>

#include <cmath>
#include <cstdio>
#include <limits>
#include <vector>

#include <support/allocation_count.hpp>
#include <support/compare.hpp>
#include <support/training.hpp>

#include <transept/generate/generation.hpp>
#include <transept/generate/session.hpp>
#include <transept/kernels/cross_entropy.hpp>
#include <transept/models/gpt2.hpp>
#include <transept/train/schedules.hpp>
#include <transept/train/training.hpp>

using namespace transept;
using support::batch_of_ids, support::copy_of;

namespace {

gpt2<support::small> some_model() { return support::some_model<support::small>(); }

} // namespace

TEST_CASE("a model in training computes what a session computes, and generates") {
  const auto model = some_model();
  trainer trainer(model, {.threads = 2});
  const batch_of_ids batch(3, 50);
  double expected = 0;
  for (std::size_t s = 0; s < 3; ++s) {
    session session(model);
    std::vector<float> logits(50 * 300);
    forward(model, session, std::span(batch.tokens).subspan(s * 50, 50),
            matrix_view<float, dyn, dyn>(logits.data(), 50, 300));
    for (std::size_t t = 0; t < 50; ++t)
      expected += kernels::cross_entropy(logits.data() + t * 300, 300,
                                         static_cast<std::size_t>(batch.targets[s * 50 + t]));
  }
  CHECK(evaluate(trainer, batch.inputs(), batch.wanted()) == Approx(expected / 150).epsilon(1e-6));
  CHECK(accumulate_gradients(trainer, batch.inputs(), batch.wanted()) ==
        Approx(expected / 150).epsilon(1e-6));

  session session(trainer.model());
  const std::vector<token_id> prompt{0, 31};
  double loss = 10;
  for (std::size_t step = 0; step < 60; ++step)
    loss = training_step(trainer, batch.inputs(), batch.wanted(), 1e-2).loss;
  CHECK(loss < 0.1);
  std::vector<token_id> generated;
  for (const token_id token : generate(trainer.model(), session, prompt, greedy(), {.max_new_tokens = 3}))
    generated.push_back(token);
  CHECK(generated == std::vector<token_id>{62, 93, 124}); // it counts on as it was taught
}

TEST_CASE("a model of another element type is trained in f32, and the given one stays as it is") {
  const auto model = some_model();
  const auto narrow = convert_weights(model, element_type::bf16);
  trainer trainer(narrow);
  CHECK(trainer.model().tokens.weight.type() == element_type::f32);
  const batch_of_ids batch(2, 20);
  training_step(trainer, batch.inputs(), batch.wanted(), 1e-2);
  const auto widened = convert_weights(narrow, element_type::f32);
  const auto* before = static_cast<const float*>(widened.tokens.weight.data());
  const auto* after = static_cast<const float*>(trainer.model().tokens.weight.data());
  CHECK(std::abs(before[7] - after[7]) > 0);
  CHECK(std::abs(before[7] - after[7]) < 0.02f);
}

TEST_CASE("training gives the same bits for 1, 2 and 3 threads, with dropout too") {
  const auto products = GENERATE(f32_precision::full, f32_precision::bf16);
  const batch_of_ids batch(5, 37);
  std::vector<float> expected, expected_gradient;
  for (const int threads : {1, 2, 3}) {
    trainer trainer(some_model(),
                    {.label_smoothing = 0.1f,
                     .dropout = {.embedding = 0.1f, .attention = 0.2f, .residual = 0.1f, .seed = 5},
                     .products = products,
                     .threads = threads});
    for (int step = 0; step < 3; ++step) training_step(trainer, batch.inputs(), batch.wanted(), 1e-2);
    accumulate_gradients(trainer, batch.inputs(), batch.wanted());
    if (threads == 1) {
      expected = copy_of(trainer.parameters());
      expected_gradient = copy_of(trainer.gradients());
    }
    CHECK(copy_of(trainer.parameters()) == expected);
    CHECK(copy_of(trainer.gradients()) == expected_gradient);
  }
}

TEST_CASE("a model whose shape is told at run time learns to the bits of one that has it compiled in") {
  constexpr gpt2_config tied = support::small;
  constexpr gpt2_config untied{.n_embd = 40,
                               .n_layer = 2,
                               .n_head = 4,
                               .vocab_size = 300,
                               .n_positions = 64,
                               .n_inner = 72,
                               .head_width = 12,
                               .tie_word_embeddings = false};
  const batch_of_ids batch(3, 37);
  const auto check = [&]<gpt2_config Config>(const training_options& options) {
    auto model = support::some_model<Config>();
    auto told = initialise<gpt2<any_gpt2>>(Config, model.settings, 3, {.standard_deviation = 0.2f});
    model.settings.windows = told.settings.windows = in_turn(2, 9);
    trainer compiled(model, options);
    trainer at_run_time(told, options);
    CHECK(copy_of(at_run_time.parameters()) == copy_of(compiled.parameters()));
    for (int step = 0; step < 3; ++step)
      CHECK(training_step(at_run_time, batch.inputs(), batch.wanted(), 1e-2).loss ==
            training_step(compiled, batch.inputs(), batch.wanted(), 1e-2).loss);
    CHECK(copy_of(at_run_time.parameters()) == copy_of(compiled.parameters()));
    CHECK(evaluate(at_run_time, batch.inputs(), batch.wanted()) ==
          evaluate(compiled, batch.inputs(), batch.wanted()));
  };
  for (const std::size_t frozen : {0u, 1u}) {
    const training_options options{
        .label_smoothing = 0.1f,
        .dropout = {.embedding = 0.1f, .attention = 0.2f, .residual = 0.1f, .seed = 5},
        .frozen_blocks = frozen,
        .recompute_blocks = frozen == 1,
        .threads = 2};
    check.operator()<tied>(options);
    check.operator()<untied>(options);
  }
}

TEST_CASE("after the first step, a step allocates nothing") {
  if (!support::counts_allocations) {
    std::puts("SKIPPED: allocations cannot be counted under this sanitizer");
    return;
  }
  const auto products = GENERATE(f32_precision::full, f32_precision::bf16);
  trainer trainer(some_model(),
                  {.dropout = {.attention = 0.1f, .residual = 0.1f}, .products = products, .threads = 3});
  const batch_of_ids batch(4, 60), shorter(2, 30);
  training_step(trainer, batch.inputs(), batch.wanted(), 1e-3);
  const support::allocation_count allocations;
  for (int step = 0; step < 3; ++step) training_step(trainer, batch.inputs(), batch.wanted(), 1e-3);
  training_step(trainer, shorter.inputs(), shorter.wanted(), 1e-3);
  evaluate(trainer, batch.inputs(), batch.wanted());
  const long made = allocations.so_far();
  CHECK(made == 0);
}

TEST_CASE("gradients accumulate: two halves of a batch make the whole") {
  const batch_of_ids whole(4, 30), half(2, 30), other(2, 30, 2 * 30 * 31);
  trainer at_once(some_model()), in_parts(some_model());
  const double loss = accumulate_gradients(at_once, whole.inputs(), whole.wanted());
  const double losses = 0.5 * accumulate_gradients(in_parts, half.inputs(), half.wanted(), 0.5) +
                        0.5 * accumulate_gradients(in_parts, other.inputs(), other.wanted(), 0.5);
  CHECK(losses == Approx(loss).epsilon(1e-6));
  CHECK(support::compare(copy_of(in_parts.gradients()), copy_of(at_once.gradients())) <= 1e-6);
}

TEST_CASE("targets that are not there count for nothing") {
  batch_of_ids whole(2, 30), first(1, 30);
  for (std::size_t i = 30; i < 60; ++i) whole.targets[i] = no_target;
  trainer with_both(some_model()), with_one(some_model());
  CHECK(accumulate_gradients(with_both, whole.inputs(), whole.wanted()) ==
        Approx(accumulate_gradients(with_one, first.inputs(), first.wanted())).epsilon(1e-7));
  CHECK(support::compare(copy_of(with_both.gradients()), copy_of(with_one.gradients())) <= 1e-6);
  std::fill(whole.targets.begin(), whole.targets.end(), no_target);
  CHECK(evaluate(with_both, whole.inputs(), whole.wanted()) == 0.0);
}

TEST_CASE("with dropout, gradients are those of the very pass that dropped") {
  constexpr gpt2_config tiny{.n_embd = 12, .n_layer = 2, .n_head = 2, .vocab_size = 20, .n_positions = 40};
  trainer trainer(initialise<gpt2<tiny>>(3, {.standard_deviation = 0.3f}),
                  {.dropout = {.embedding = 0.2f, .attention = 0.3f, .residual = 0.25f, .seed = 11}});
  std::vector<token_id> ids(2 * 36), next(2 * 36);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    ids[i] = static_cast<token_id>(i * 7 % 20);
    next[i] = static_cast<token_id>(i * i % 20);
  }
  const token_rows tokens(ids.data(), 2, 36), targets(next.data(), 2, 36);
  const auto loss = [&] {
    trainer.passes = 4; // the same pass again and again
    return accumulate_gradients(trainer, tokens, targets);
  };
  const double dropped = loss();
  CHECK(std::abs(dropped - evaluate(trainer, tokens, targets)) > 1e-3);
  CHECK(loss() == dropped);
  trainer.passes = 5;
  CHECK(accumulate_gradients(trainer, tokens, targets) != dropped);

  auto& gradients = trainer.gradients();
  std::fill_n(gradients.data(), gradients.size(), 0.0f);
  loss();
  const auto gradient = copy_of(gradients);
  double scale = 0, worst = 0;
  for (const auto& span : trainer.layout().spans()) {
    for (std::size_t i = 0; i < span.size; i += 1 + span.size / 12) {
      float& parameter = trainer.parameters().data()[span.offset + i];
      const float before = parameter;
      parameter = before + 1e-3f;
      const double above = loss();
      parameter = before - 1e-3f;
      const double below = loss();
      parameter = before;
      const double expected = (above - below) / 2e-3;
      scale = std::max(scale, std::abs(expected));
      worst = std::max(worst, std::abs(expected - static_cast<double>(gradient[span.offset + i])));
    }
  }
  CHECK(worst < 1e-3 * scale);
}

TEST_CASE("a mask keeps the share it should, scales what it keeps, and differs from place to place") {
  const kernels::dropout_mask mask{.rate = 0.3f, .seed = 1, .pass = 2, .site = 3};
  std::vector<float> factors(10'000), piece(100), other(10'000);
  kernels::dropout_factors(mask, 7, factors.size(), factors.data());
  std::size_t kept = 0;
  for (const float factor : factors) {
    CHECK((factor == 0.0f || factor == 1.0f / 0.7f));
    kept += factor != 0.0f;
  }
  CHECK(std::abs(static_cast<double>(kept) / 1e4 - 0.7) < 0.02);
  kernels::dropout_factors(mask, 7, piece.size(), piece.data(), 512);
  CHECK(std::equal(piece.begin(), piece.end(), factors.begin() + 512));
  for (const auto& another : {kernels::dropout_mask{0.3f, 2, 2, 3}, kernels::dropout_mask{0.3f, 1, 3, 3},
                              kernels::dropout_mask{0.3f, 1, 2, 4}}) {
    kernels::dropout_factors(another, 7, other.size(), other.data());
    CHECK(other != factors);
  }
  kernels::dropout_factors(mask, 8, other.size(), other.data());
  CHECK(other != factors);
}

TEST_CASE("what cannot be trained on is refused, and changes nothing") {
  trainer trainer(some_model());
  const batch_of_ids batch(2, 20), longer(1, 65);
  batch_of_ids wrong_token(2, 20), wrong_target(2, 20);
  wrong_token.tokens[3] = no_target; // fine as a target, not as a token
  wrong_target.targets[3] = 300;
  CHECK_THROWS_AS(training_step(trainer, batch.inputs(), longer.wanted(), 1e-3), argument_error);
  CHECK_THROWS_AS(training_step(trainer, wrong_token.inputs(), batch.wanted(), 1e-3), argument_error);
  CHECK_THROWS_AS(training_step(trainer, batch.inputs(), wrong_target.wanted(), 1e-3), argument_error);
  CHECK_THROWS_AS(training_step(trainer, longer.inputs(), longer.wanted(), 1e-3), context_error);
  CHECK_THROWS_AS(training_step(trainer, {}, {}, 1e-3), argument_error);
  CHECK(trainer.steps() == 0);

  const auto before = copy_of(trainer.parameters());
  trainer.gradients().data()[5] = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_AS(optimizer_step(trainer, 1e-3), numeric_error);
  CHECK(copy_of(trainer.parameters()) == before);

  const auto model = some_model();
  CHECK_THROWS_AS((transept::trainer(model, {.label_smoothing = 1.5f})), argument_error);
  CHECK_THROWS_AS((transept::trainer(model, {.dropout = {.residual = 1.0f}})), argument_error);
  CHECK_THROWS_AS((transept::trainer(model, {.clip_norm = -1})), argument_error);
}
