// Gradients of the kernels against central differences of their twins, in double.
#include <support/catch.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <kernels/kernel_support.hpp>
#include <reference/activation.hpp>
#include <reference/attention.hpp>
#include <reference/differences.hpp>
#include <reference/layer_norm.hpp>
#include <reference/linear.hpp>
#include <support/compare.hpp>

#include <transept/kernels/activation.hpp>
#include <transept/kernels/cross_entropy.hpp>
#include <transept/kernels/embedding.hpp>
#include <transept/kernels/layer_norm.hpp>
#include <transept/kernels/product.hpp>
#include <transept/kernels/sequence_attention.hpp>
#include <transept/kernels/vector/activation.hpp>

using namespace transept;
using namespace kernel_tests;

namespace {

constexpr activation_type activations_known[] = {
    activation_type::gelu_tanh,  activation_type::gelu_erf, activation_type::relu,   activation_type::silu,
    activation_type::quick_gelu, activation_type::tanh,     activation_type::sigmoid};

std::vector<float> transposed_copy(const std::vector<float>& m, std::size_t rows, std::size_t cols) {
  std::vector<float> result(m.size());
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < cols; ++c) result[c * rows + r] = m[r * cols + c];
  return result;
}

/// a · b through `multiply`, each operand stored by rows or transposed.
std::vector<float> product(machine& machine, kernels::product_shape shape, const std::vector<float>& a,
                           bool a_transposed, const std::vector<float>& b, bool b_transposed,
                           const std::vector<float>& y_before, bool add) {
  const auto stored_a = a_transposed ? transposed_copy(a, shape.rows, shape.inner) : a;
  const auto stored_b = b_transposed ? transposed_copy(b, shape.inner, shape.cols) : b;
  const placed<float> exact_a(stored_a, 1), exact_b(stored_b, 3);
  placed<float> y(y_before, 1);
  kernels::multiply(
      machine.context, shape, {exact_a.data(), a_transposed ? shape.rows : shape.inner, a_transposed},
      {exact_b.data(), b_transposed ? shape.inner : shape.cols, b_transposed}, y.data(), shape.cols, {}, add);
  return {y.begin(), y.end()};
}

} // namespace

TEST_CASE("products of matrices that lie either way are the twin's, for odd sizes and any threads") {
  machine one(1), three(3);
  const kernels::product_shape shapes[] = {{1, 1, 1},     {7, 5, 3},     {6, 256, 16}, {13, 257, 33},
                                           {125, 31, 50}, {37, 600, 18}, {3, 9, 4200}, {250, 3, 17}};
  for (const auto& shape : shapes) {
    const auto a = random_values(shape.rows * shape.inner, 1), b = random_values(shape.inner * shape.cols, 2);
    const auto before = random_values(shape.rows * shape.cols, 3);
    const reference::vector none = xt::zeros<double>({shape.cols});
    const auto exact = reference::linear(reference::array_of<2>(a, {shape.rows, shape.inner}),
                                         reference::array_of<2>(b, {shape.inner, shape.cols}), none);
    const double allowed = 4 * unit * static_cast<double>(shape.inner) * 10;
    std::vector<double> sum(exact.begin(), exact.end());
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += before[i];
    for (const bool a_transposed : {false, true})
      for (const bool b_transposed : {false, true}) {
        INFO(shape.rows << " " << shape.inner << " " << shape.cols << " " << a_transposed << b_transposed);
        const auto y = product(one, shape, a, a_transposed, b, b_transposed, before, false);
        CHECK(support::compare(y, std::vector<double>(exact.begin(), exact.end())) <= allowed);
        CHECK(y == product(three, shape, a, a_transposed, b, b_transposed, before, false));
        const auto added = product(three, shape, a, a_transposed, b, b_transposed, before, true);
        CHECK(support::compare(added, sum) <= allowed);
      }
  }
}

TEST_CASE("slopes of activations are those of the twins, and values those of the forward kernel") {
  for (const auto type : activations_known) {
    INFO(name_of(type));
    for (const std::size_t count : odd_sizes) {
      auto x = random_values(count, 5, 2.0f);
      if (count > 3) x[3] = 0.0f; // relu's slope there is 0, as PyTorch has it
      std::vector<float> d = random_values(count, 6), y(count), expected_y(count);
      std::vector<double> expected(count);
      for (std::size_t i = 0; i < count; ++i) {
        const double h = 1e-5, at = x[i];
        const double slope =
            type == activation_type::relu
                ? at > 0
                : (reference::activation(type, at + h) - reference::activation(type, at - h)) / (2 * h);
        expected[i] = d[i] * slope;
      }
      kernels::activate(type, x.data(), count, expected_y.data());
      kernels::activate_backward(type, x.data(), count, y.data(), d.data());
      CHECK(support::compare(d, expected) <= 2e-6);
      CHECK(support::compare(y, expected_y) <= 1e-6);
    }
  }
}

TEST_CASE("layer norm's gradients are those of the twin, for any threads") {
  for (const std::size_t width : {1u, 2u, 7u, 16u, 33u, 100u}) {
    const std::size_t rows = 5;
    const double epsilon = 1e-2; // so that a norm of one number has a slope
    auto x = random_values(rows * width, 1), weight = random_values(width, 2), bias = random_values(width, 3);
    const auto dy = random_values(rows * width, 4);
    auto twin_x = reference::array_of<2>(x, {rows, width});
    auto twin_weight = reference::array_of<1>(weight, {width}),
         twin_bias = reference::array_of<1>(bias, {width});
    const auto loss = [&] {
      return reference::weighted_sum(dy, reference::layer_norm(twin_x, twin_weight, twin_bias, epsilon));
    };
    const auto before = random_values(rows * width, 5);
    auto expected_dx = reference::gradient_of(loss, twin_x);
    for (std::size_t i = 0; i < expected_dx.size(); ++i) expected_dx[i] += before[i];
    const auto expected_dweight = reference::gradient_of(loss, twin_weight);
    const auto expected_dbias = reference::gradient_of(loss, twin_bias);
    std::vector<float> of_one_thread;
    for (const int threads : {1, 3}) {
      machine machine(threads);
      const placed<float> exact_x(x, 1), exact_dy(dy, 1);
      placed<float> dx(before, 1), dweight(std::vector<float>(width), 1), dbias(std::vector<float>(width), 1);
      kernels::layer_norm_backward(machine.context, {exact_x.data(), rows, width}, weight.data(),
                                   static_cast<float>(epsilon), exact_dy.data(), dx.data(), dweight.data(),
                                   dbias.data());
      CHECK(support::compare(dx, expected_dx) <= 3e-6);
      CHECK(support::compare(dweight, expected_dweight) <= 3e-6);
      CHECK(support::compare(dbias, expected_dbias) <= 3e-6);
      if (threads == 1) of_one_thread.assign(dx.begin(), dx.end());
      CHECK(std::equal(dx.begin(), dx.end(), of_one_thread.begin()));
    }
  }
}

TEST_CASE(
    "layer norm's gradients without weight are those of ones, and what is not asked for is not computed") {
  machine machine(2);
  for (const std::size_t width : {1u, 7u, 33u, 100u}) {
    const std::size_t rows = 5;
    const auto x = random_values(rows * width, 1), dy = random_values(rows * width, 4);
    const std::vector<float> ones(width, 1.0f);
    struct gradients {
      std::vector<float> x, weight, bias;
    };
    const auto backward = [&](const float* weight, bool of_weight, bool of_bias) {
      gradients d{random_values(rows * width, 5), random_values(width, 6), random_values(width, 7)};
      kernels::layer_norm_backward(machine.context, {x.data(), rows, width}, weight, 1e-2f, dy.data(),
                                   d.x.data(), of_weight ? d.weight.data() : nullptr,
                                   of_bias ? d.bias.data() : nullptr);
      return d;
    };
    const auto all = backward(ones.data(), true, true);
    for (const bool of_weight : {false, true})
      for (const bool of_bias : {false, true}) {
        const auto some = backward(nullptr, of_weight, of_bias);
        CAPTURE(width, of_weight, of_bias);
        CHECK(some.x == all.x);
        CHECK(some.weight == (of_weight ? all.weight : random_values(width, 6)));
        CHECK(some.bias == (of_bias ? all.bias : random_values(width, 7)));
      }
  }
}

TEST_CASE("attention over whole sequences, and its gradients, are the twin's") {
  struct sizes {
    std::size_t sequences, length, heads, width;
  };
  for (const auto& [sequences, length, heads, width] :
       {sizes{1, 1, 1, 1}, sizes{2, 5, 3, 4}, sizes{1, 33, 2, 16}, sizes{2, 40, 1, 20}, sizes{1, 70, 1, 8}}) {
    INFO(sequences << " sequences of " << length << ", " << heads << " heads of " << width);
    const std::size_t rows = sequences * length, inner = heads * width;
    const double scale = 0.7;
    const auto all = random_values(rows * 3 * inner, 1), dout = random_values(rows * inner, 2);

    // The twin: a sequence at a time, queries, keys and values apart.
    std::vector<double> expected_out, expected_gradient(rows * 3 * inner);
    for (std::size_t s = 0; s < sequences; ++s) {
      reference::cube parts[3];
      for (std::size_t p = 0; p < 3; ++p) {
        parts[p] = make_array<3, double>({length, heads, width});
        for (std::size_t t = 0; t < length; ++t)
          for (std::size_t i = 0; i < inner; ++i)
            parts[p](t, i / width, i % width) = all[((s * length + t) * 3 + p) * inner + i];
      }
      const std::vector<float> weights(dout.begin() + static_cast<std::ptrdiff_t>(s * length * inner),
                                       dout.begin() + static_cast<std::ptrdiff_t>((s + 1) * length * inner));
      const auto output = [&] {
        return reference::causal_attention(parts[0], parts[1], parts[2], scale).output;
      };
      const auto out = output();
      expected_out.insert(expected_out.end(), out.begin(), out.end());
      for (std::size_t p = 0; p < 3; ++p) {
        const auto gradient =
            reference::gradient_of([&] { return reference::weighted_sum(weights, output()); }, parts[p]);
        for (std::size_t t = 0; t < length; ++t)
          for (std::size_t i = 0; i < inner; ++i)
            expected_gradient[((s * length + t) * 3 + p) * inner + i] = gradient[t * inner + i];
      }
    }

    std::vector<float> of_one_thread;
    for (const int threads : {1, 2}) {
      machine machine(threads);
      const placed<float> exact(all, 1), exact_dout(dout, 1);
      placed<float> out(rows * inner, 1), gradient(rows * 3 * inner, 1);
      std::vector<float> log_sums(rows * heads);
      const kernels::sequence_attention problem{.queries = exact.data(),
                                                .keys = exact.data() + inner,
                                                .values = exact.data() + 2 * inner,
                                                .row_stride = 3 * inner,
                                                .sequences = sequences,
                                                .length = length,
                                                .heads = heads,
                                                .head_width = width,
                                                .scale = static_cast<float>(scale),
                                                .dropout = {}};
      kernels::attend_whole_sequences(machine.context, problem, out.data(), log_sums.data());
      CHECK(support::compare(out, expected_out) <= 2e-6);
      kernels::attend_whole_sequences_backward(machine.context, problem,
                                               {.out = out.data(),
                                                .log_sums = log_sums.data(),
                                                .dout = exact_dout.data(),
                                                .dqueries = gradient.data(),
                                                .dkeys = gradient.data() + inner,
                                                .dvalues = gradient.data() + 2 * inner});
      CHECK(support::compare(gradient, expected_gradient) <= 3e-6);
      if (threads == 1) of_one_thread.assign(gradient.begin(), gradient.end());
      CHECK(std::equal(gradient.begin(), gradient.end(), of_one_thread.begin()));
    }
  }
}

TEST_CASE("cross-entropy and its gradient, with and without label smoothing, are the formula's") {
  for (const std::size_t count : {1u, 2u, 9u, 100u, 1003u})
    for (const float smoothing : {0.0f, 0.1f, 1.0f}) {
      const auto logits = random_values(count, 3, 3.0f);
      const std::size_t target = count / 2;
      std::vector<double> z(logits.begin(), logits.end());
      const auto loss = [&] {
        double most = *std::max_element(z.begin(), z.end()), sum = 0, mean = 0;
        for (const double each : z) sum += std::exp(each - most), mean += each / static_cast<double>(count);
        const double log_sum = most + std::log(sum);
        return (1 - double{smoothing}) * (log_sum - z[target]) + double{smoothing} * (log_sum - mean);
      };
      auto expected = reference::gradient_of([&] { return 0.25 * loss(); }, z);
      placed<float> values(logits, 1);
      CHECK(kernels::cross_entropy_backward(values.data(), count, target, smoothing, 0.25f) ==
            Approx(loss()).margin(1e-5));
      for (double& each : expected) each += 1; // against the scale of weights, not of tiny probabilities
      for (float& each : values) each += 1;
      CHECK(support::compare(values, expected) <= 1e-6);
      if (smoothing == 0)
        CHECK(kernels::cross_entropy(logits.data(), count, target) == Approx(loss()).margin(1e-5));
    }
}

TEST_CASE("rows of a gradient go to the rows of the table they came from, in order") {
  machine machine(3);
  const std::size_t cols = 19;
  const auto dx = random_values(6 * cols, 1);
  const std::size_t index[] = {2, 0, 2, 2, 1, 0};
  std::vector<float> table(3 * cols, 1.0f), expected = table;
  kernels::scatter_rows(machine.context, dx.data(), 6, cols, table.data(),
                        [&](std::size_t r) { return index[r]; });
  for (std::size_t r = 0; r < 6; ++r)
    for (std::size_t i = 0; i < cols; ++i) expected[index[r] * cols + i] += dx[r * cols + i];
  CHECK(table == expected);
}
