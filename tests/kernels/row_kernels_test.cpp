// Kernels that work row by row or element by element, against their twins: layer norm, softmax, activations,
// embedding.
#include "kernel_support.hpp"

#include <reference/activation.hpp>
#include <reference/embedding.hpp>
#include <reference/layer_norm.hpp>
#include <reference/softmax.hpp>

#include <transept/kernels/embedding.hpp>
#include <transept/kernels/layer_norm.hpp>
#include <transept/kernels/softmax.hpp>
#include <transept/kernels/vector/activation.hpp>

#include <support/compare.hpp>

#include <support/catch.hpp>

#include <cstring>
#include <numeric>

using namespace kernel_tests;
namespace kernels = transept::kernels;
using transept::activation_type;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();

constexpr activation_type activations[] = {
    activation_type::gelu_tanh,  activation_type::gelu_erf, activation_type::relu,   activation_type::silu,
    activation_type::quick_gelu, activation_type::tanh,     activation_type::sigmoid};

void check_layer_norm(machine& on, std::size_t rows, std::size_t cols, const std::vector<float>& values,
                      float epsilon, double tolerance) {
  const placed<float> x(values, 1), weight(random_values(cols, 11), 1), bias(random_values(cols, 12), 1);
  const auto expected =
      reference::layer_norm(reference::array_of<2>(x, {rows, cols}), reference::array_of<1>(weight, {cols}),
                            reference::array_of<1>(bias, {cols}), static_cast<double>(epsilon));
  placed<float> y(rows * cols, 1);
  CAPTURE(rows, cols);
  kernels::layer_norm(on.context, {x.data(), rows, cols}, weight.data(), bias.data(), epsilon, y.data());
  CHECK(support::compare(y, expected.storage()) <= tolerance);

  placed<float> in_place(values, 1);
  kernels::layer_norm(on.context, {in_place.data(), rows, cols}, weight.data(), bias.data(), epsilon,
                      in_place.data());
  CHECK(std::memcmp(in_place.data(), y.data(), y.size() * sizeof(float)) == 0);
}

} // namespace

TEST_CASE("layer norm agrees with its twin at odd widths, unaligned and in place, on any threads") {
  const int threads = GENERATE(1, 2, 3);
  machine on(threads);
  for (const std::size_t cols : odd_sizes)
    for (const std::size_t rows : {1u, 2u, 3u, 4u, 5u, 9u, 13u})
      check_layer_norm(on, rows, cols, random_values(rows * cols, 10), 1e-5f, 2e-6);
}

TEST_CASE("layer norm agrees with its twin on offset, tiny, huge and constant rows") {
  machine on;
  for (const std::size_t cols : {16u, 33u, 768u}) {
    auto values = random_values(cols, 20);
    for (float& value : values) value += 1000.0f; // where E[x²] − E[x]² would lose every digit
    check_layer_norm(on, 1, cols, values, 1e-5f, 2e-4);
    check_layer_norm(on, 1, cols, random_values(cols, 21, 1e-20f), 1e-5f, 2e-6);
    check_layer_norm(on, 1, cols, random_values(cols, 22, 1e17f), 1e-5f, 2e-6);
    check_layer_norm(on, 1, cols, std::vector<float>(cols, 1.0f), 1e-5f, 1e-6);
    check_layer_norm(on, 1, cols, std::vector<float>(cols, 0.0f), 1e-12f, 1e-6);
  }
}

TEST_CASE("layer norm without weight, or without bias, has the bits of one with ones, or with zeros") {
  machine on(2);
  for (const std::size_t cols : odd_sizes) {
    const placed<float> x(random_values(5 * cols, 10), 1), ones(std::vector<float>(cols, 1.0f), 1),
        zeros(std::vector<float>(cols, 0.0f), 1), weight(random_values(cols, 11), 1),
        bias(random_values(cols, 12), 1);
    const auto normed = [&](const float* w, const float* b) {
      std::vector<float> y(x.size());
      kernels::layer_norm(on.context, {x.data(), 5, cols}, w, b, 1e-5f, y.data());
      return y;
    };
    CAPTURE(cols);
    CHECK(normed(nullptr, bias.data()) == normed(ones.data(), bias.data()));
    CHECK(normed(weight.data(), nullptr) == normed(weight.data(), zeros.data()));
    CHECK(normed(nullptr, nullptr) == normed(ones.data(), zeros.data()));
  }
}

TEST_CASE("softmax agrees with its twin at odd sizes, unaligned") {
  for (const std::size_t count : {1u, 2u, 3u, 7u, 8u, 9u, 15u, 16u, 17u, 31u, 33u, 100u, 1000u}) {
    placed<float> x(random_values(count, 30, 5.0f), 1);
    const auto expected = reference::softmax(reference::array_of<2>(x, {1, count}));
    const double log_sum = std::log(xt::sum(xt::exp(reference::array_of<1>(x, {count})))());
    CAPTURE(count);
    CHECK(kernels::greatest(x.data(), count) == *std::max_element(x.begin(), x.end()));
    CHECK(kernels::log_sum_exp(x.data(), count) == Approx(log_sum).epsilon(0).margin(1e-6));
    kernels::softmax(x.data(), count);
    CHECK(support::compare(x, expected.storage()) <= 1e-6);
    CHECK(std::accumulate(x.begin(), x.end(), 0.0) == Approx(1).epsilon(1e-6));
  }
}

TEST_CASE("softmax stands huge values, and gives masked ones nothing") {
  for (const std::size_t count : {3u, 8u, 9u, 33u}) {
    for (const float offset : {3e38f, 1e5f, -1e5f, -3e38f}) {
      placed<float> x(std::vector<float>(count, offset), 1);
      x[count / 2] = -infinity;
      CAPTURE(count, offset);
      kernels::softmax(x.data(), count);
      for (std::size_t i = 0; i < count; ++i)
        CHECK(x[i] == Approx(i == count / 2 ? 0 : 1.0 / static_cast<double>(count - 1)).epsilon(1e-6));
    }
    placed<float> spread(std::vector<float>(count, -3e38f), 1);
    spread[1] = 3e38f;
    kernels::softmax(spread.data(), count);
    for (std::size_t i = 0; i < count; ++i) CHECK(spread[i] == (i == 1 ? 1.0f : 0.0f));
  }
  CHECK(kernels::greatest(nullptr, 0) == -infinity);
}

TEST_CASE("log_sum_exp adds a large vocabulary in full precision") {
  const placed<float> x(std::vector<float>(50257, -1.0f), 1);
  CHECK(kernels::log_sum_exp(x.data(), x.size()) == Approx(std::log(50257.0) - 1).epsilon(1e-9));
}

TEST_CASE("activations agree with their twins over their whole range, at any size, unaligned") {
  for (const activation_type type : activations) {
    CAPTURE(name_of(type));
    std::vector<float> values;
    for (int i = -2000; i <= 2000; ++i) values.push_back(0.007f * static_cast<float>(i));
    for (const float x : {0.0f, -0.0f, 1e-40f, -1e-40f, 1e-6f, 50.0f, -50.0f, 100.0f, -100.0f, 1e10f, -1e10f})
      values.push_back(x);
    placed<float> y(values, 1);
    kernels::activate(type, y.data(), y.size());
    double worst = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double expected = reference::activation(type, static_cast<double>(values[i]));
      const double difference = std::fabs(static_cast<double>(y[i]) - expected);
      worst = std::fmax(worst, difference / std::fmax(1, std::fabs(expected)));
      if (difference > 1e-6 * std::fmax(1, std::fabs(expected)) || std::isnan(y[i]))
        FAIL_CHECK(values[i] << " became " << y[i] << ", not " << expected);
    }
    CHECK(worst <= 1e-6);

    for (const std::size_t count : odd_sizes) { // the same bits wherever an element stands
      placed<float> part(std::span<const float>(values).subspan(1900, count), 1);
      kernels::activate(type, part.data(), count);
      CHECK(std::memcmp(part.data(), y.data() + 1900, count * sizeof(float)) == 0);
    }
  }
}

TEST_CASE("activations of infinity are their limits") {
  for (const activation_type type : activations) {
    for (const float largest : {3e38f, infinity}) {
      CAPTURE(name_of(type), largest);
      float x = largest;
      kernels::activate(type, &x, 1);
      const bool bounded = type == activation_type::tanh || type == activation_type::sigmoid;
      CHECK(x == (bounded ? 1.0f : largest));
    }
    float x = -3e38f;
    kernels::activate(type, &x, 1);
    CAPTURE(name_of(type));
    CHECK(x == (type == activation_type::tanh ? -1.0f : 0.0f));
  }
}

TEST_CASE("activations keep NaN") {
  for (const activation_type type : activations) {
    for (const std::size_t count : {1u, 17u}) {
      placed<float> x(std::vector<float>(count, not_a_number), 1);
      kernels::activate(type, x.data(), count);
      CAPTURE(name_of(type), count);
      CHECK(std::ranges::all_of(x, [](float value) { return std::isnan(value); }));
    }
  }
}

TEMPLATE_TEST_CASE("rows of an embedding are copied and added exactly", "", float, f16, bf16) {
  for (const std::size_t cols : odd_sizes) {
    const auto table = random_weights<TestType>(5 * cols, 40);
    const kernels::stored_matrix stored{table.data(), type_of<TestType>, 5, cols};
    const std::vector<transept::token_id> ids{4, 0, 3};
    const auto expected = reference::embedding(ids, reference::array_of<2>(table, {5, cols}));
    for (std::size_t t = 0; t < ids.size(); ++t) {
      placed<float> y(random_values(cols, 41), 1);
      const placed<float> before(y, 1);
      CAPTURE(cols, t);
      kernels::add_row(stored, static_cast<std::size_t>(ids[t]), y.data());
      bool exact = true;
      for (std::size_t i = 0; i < cols; ++i)
        exact = exact && y[i] == before[i] + static_cast<float>(expected(t, i));
      CHECK(exact);
      kernels::copy_row(stored, static_cast<std::size_t>(ids[t]), y.data());
      for (std::size_t i = 0; i < cols; ++i) exact = exact && y[i] == static_cast<float>(expected(t, i));
      CHECK(exact);
    }
  }
}
