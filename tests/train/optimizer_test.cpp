// AdamW, clipping and schedules against their formulas in double.
#include <support/catch.hpp>

#include <cmath>
#include <vector>

#include <support/compare.hpp>

#include <transept/models/gpt2.hpp>
#include <transept/models/initialise.hpp>
#include <transept/train/adamw.hpp>
#include <transept/train/schedules.hpp>

using namespace transept;

namespace {

constexpr gpt2_config tiny{.n_embd = 6, .n_layer = 1, .n_head = 2, .vocab_size = 11, .n_positions = 5};

} // namespace

TEST_CASE("AdamW is the papers' formula, decays matrices only, and uses its gradients up") {
  const auto model = initialise<gpt2<tiny>>(1);
  const parameter_layout layout(model);
  const adamw_options options{.beta_1 = 0.8, .beta_2 = 0.9, .epsilon = 1e-6, .weight_decay = 0.3};
  for (const int threads : {1, 3}) {
    thread_pool pool(threads);
    buffer<float> parameters = zeros(layout.size()), gradients = zeros(layout.size());
    adamw_state state(layout);
    for (std::size_t i = 0; i < layout.size(); ++i) parameters.data()[i] = 0.01f * static_cast<float>(i % 17);
    std::vector<double> p(parameters.data(), parameters.data() + layout.size()), m(p.size()), v(p.size());
    for (int t = 1; t <= 4; ++t) {
      const double rate = 0.01 * t, scale = 0.5;
      for (const auto& span : layout.spans()) {
        for (std::size_t i = span.offset; i < span.offset + span.size; ++i) {
          gradients.data()[i] = std::sin(static_cast<float>(i) * 0.37f + static_cast<float>(t));
          const double g = scale * static_cast<double>(gradients.data()[i]);
          m[i] = options.beta_1 * m[i] + (1 - options.beta_1) * g;
          v[i] = options.beta_2 * v[i] + (1 - options.beta_2) * g * g;
          if (span.decays) p[i] -= rate * options.weight_decay * p[i];
          p[i] -= rate * (m[i] / (1 - std::pow(options.beta_1, t))) /
                  (std::sqrt(v[i] / (1 - std::pow(options.beta_2, t))) + options.epsilon);
        }
      }
      adamw_step(pool, layout, options, rate, scale, parameters, gradients, state);
    }
    CHECK(support::compare(parameters.span(), p) <= 1e-6);
    CHECK(support::compare(state.first.span(), m) <= 1e-6);
    CHECK(support::compare(state.second.span(), v) <= 1e-6);
    CHECK(state.steps == 4);
    CHECK(std::ranges::all_of(gradients.span(), [](float g) { return g == 0.0f; }));
  }
  int matrices = 0;
  for (const auto& span : layout.spans()) matrices += span.decays;
  CHECK(matrices == 6); // wte, wpe, and the four of a block
}

TEST_CASE("the norm of gradients is exact to double's rounding, for any threads, and clips as PyTorch does") {
  buffer<float> gradients(10'007);
  double squares = 0;
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    const float g = std::cos(static_cast<float>(i)) * (i % 100 == 0 ? 1e4f : 1.0f);
    gradients.data()[i] = g;
    squares += static_cast<double>(g) * static_cast<double>(g);
  }
  std::vector<double> sums;
  thread_pool one(1), three(3);
  const double norm = gradient_norm(one, gradients, sums);
  CHECK(norm == Approx(std::sqrt(squares)).epsilon(1e-6));
  CHECK(norm == gradient_norm(three, gradients, sums));
  CHECK(clipping_factor(4.0, 1.0) == Approx(0.25).epsilon(1e-6));
  CHECK(clipping_factor(0.5, 1.0) == 1.0);
  CHECK(clipping_factor(4.0, 0.0) == 1.0);
}

TEST_CASE("learning rates warm up and then go their ways") {
  CHECK(constant_rate{2.0}(0) == 2.0);
  CHECK(constant_rate{2.0, 3}(0) == Approx(0.5));
  CHECK(constant_rate{2.0, 3}(1) == Approx(1.0));
  CHECK(constant_rate{2.0, 3}(3) == 2.0);

  const cosine_rate cosine{1.0, 0.1, 110, 10};
  CHECK(cosine(0) == Approx(1.0 / 11));
  CHECK(cosine(10) == Approx(1.0));
  CHECK(cosine(60) == Approx(0.55));
  CHECK(cosine(110) == Approx(0.1));
  CHECK(cosine(500) == Approx(0.1));

  const linear_rate linear{1.0, 0.0, 110, 10};
  CHECK(linear(9) == Approx(10.0 / 11));
  CHECK(linear(10) == Approx(1.0));
  CHECK(linear(35) == Approx(0.75));
  CHECK(linear(200) == Approx(0.0));

  const inverse_square_root_rate root{1.0, 100};
  CHECK(root(49) == Approx(50.0 / 101));
  CHECK(root(100) == Approx(1.0));
  CHECK(root(400) == Approx(0.5));
  CHECK(inverse_square_root_rate{1.0}(0) == Approx(1.0));
  CHECK(inverse_square_root_rate{1.0}(4) == Approx(0.5));
  CHECK(cosine_rate{1.0, 0.0, 0}(5) == Approx(0.0)); // nothing but the end
}
