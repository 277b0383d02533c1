// Training whose products are made in bf16, beside training in f32.
#include <support/catch.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

#include <support/compare.hpp>

#include <transept/generate/batch.hpp>
#include <transept/generate/session.hpp>
#include <transept/models/gpt2.hpp>
#include <transept/models/initialise.hpp>
#include <transept/train/training.hpp>

using namespace transept;

namespace {

constexpr gpt2_config small{.n_embd = 48, .n_layer = 2, .n_head = 4, .vocab_size = 65, .n_positions = 64};

struct run_result {
  std::vector<double> losses;
  std::vector<float> gradient; ///< of the first step
};

run_result ten_steps(f32_precision products) {
  trainer trainer(initialise<gpt2<small>>(3, {.standard_deviation = 0.1f}),
                  {.products = products, .threads = 2});
  std::vector<token_id> ids(4 * 50 + 1);
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<token_id>(i * i % 65);
  const token_rows tokens(ids.data(), 4, 50), targets(ids.data() + 1, 4, 50);
  run_result result;
  for (int step = 0; step < 10; ++step) {
    result.losses.push_back(accumulate_gradients(trainer, tokens, targets));
    if (step == 0) {
      const auto& gradients = trainer.gradients();
      result.gradient.assign(gradients.data(), gradients.data() + gradients.size());
    }
    optimizer_step(trainer, 1e-2);
  }
  return result;
}

} // namespace

TEST_CASE("ten steps in bf16 follow those in f32 to half a hundredth, and are not the same") {
  const auto exact = ten_steps(f32_precision::full), mixed = ten_steps(f32_precision::bf16);
  double worst = 0;
  for (std::size_t step = 0; step < 10; ++step)
    worst = std::max(worst, std::abs(mixed.losses[step] - exact.losses[step]));
  INFO("from " << exact.losses.front() << " to " << exact.losses.back() << ", apart by " << worst);
  CHECK(exact.losses.back() < exact.losses.front() - 0.5);
  CHECK(worst < 5e-3);
  CHECK(worst > 1e-7);
  const double apart = support::max_relative_difference(mixed.gradient, exact.gradient);
  CHECK(apart < 0x1p-6); // two rounded operands: 2⁻⁷ of the terms; they partly cancel
  CHECK(apart > 1e-5);
}

TEST_CASE("sessions and batches refuse products that are for training") {
  const auto model = initialise<gpt2<small>>(1);
  CHECK_THROWS_AS(session(model, {.f32_precision = f32_precision::bf16}), argument_error);
  CHECK_THROWS_AS(batch(model, {.f32_precision = f32_precision::bf16}), argument_error);
}
