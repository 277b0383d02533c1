// Gated activations and soft caps, and their gradients, against their twins.
#include "kernel_support.hpp"

#include <reference/differences.hpp>
#include <reference/gated_activation.hpp>

#include <transept/kernels/gated_activation.hpp>
#include <transept/kernels/soft_cap.hpp>

#include <support/compare.hpp>

#include <support/catch.hpp>

#include <algorithm>
#include <limits>

using namespace kernel_tests;
namespace kernels = transept::kernels;
using transept::activation_type;

namespace {

constexpr activation_type gates[] = {
    activation_type::sigmoid, activation_type::silu, activation_type::gelu_tanh, activation_type::gelu_erf,
    activation_type::relu,    activation_type::tanh, activation_type::quick_gelu};

struct sizes {
  std::size_t rows, inner;
};

} // namespace

TEST_CASE("gated activations are the twin's, for odd sizes and any threads") {
  for (const activation_type type : gates)
    for (const auto& [rows, inner] : {sizes{1, 1}, sizes{3, 7}, sizes{2, 8}, sizes{1, 33}, sizes{5, 100},
                                      sizes{1, 20001}, sizes{3, 9001}, sizes{0, 4}}) {
      const auto gate_up = random_values(rows * 2 * inner, 1, 2.0f);
      const auto expected =
          reference::gated_activation(type, reference::array_of<2>(gate_up, {rows, 2 * inner}));
      std::vector<float> of_one_thread;
      for (const int threads : {1, 3}) {
        machine on(threads);
        const placed<float> exact(gate_up, 1);
        placed<float> out(rows * inner, 1);
        kernels::gated_activation(on.context, type, exact.data(), rows, inner, out.data());
        CAPTURE(name_of(type), rows, inner, threads);
        CHECK(support::compare(out, expected.storage()) <= 1e-6);
        if (threads == 1) of_one_thread.assign(out.begin(), out.end());
        CHECK(std::ranges::equal(out, of_one_thread));
      }
    }
}

TEST_CASE("gradients of gated activations are the twin's, in place too, for any threads") {
  for (const activation_type type : gates)
    for (const auto& [rows, inner] :
         {sizes{1, 1}, sizes{3, 7}, sizes{1, 33}, sizes{2, 100}, sizes{2, 9001}}) {
      const auto gate_up = random_values(rows * 2 * inner, 1, 2.0f), dout = random_values(rows * inner, 2);
      auto twin = reference::array_of<2>(gate_up, {rows, 2 * inner});
      const auto value = reference::gated_activation(type, twin);
      std::vector<double> expected(rows * 2 * inner); // every output depends on one gate and one factor
      for (const std::size_t part : {0u, 1u}) {
        const double step = 1e-5;
        auto above = twin, below = twin;
        xt::view(above, xt::all(), xt::range(part * inner, (part + 1) * inner)) += step;
        xt::view(below, xt::all(), xt::range(part * inner, (part + 1) * inner)) -= step;
        const reference::matrix slope =
            (reference::gated_activation(type, above) - reference::gated_activation(type, below)) /
            (2 * step);
        for (std::size_t r = 0; r < rows; ++r)
          for (std::size_t i = 0; i < inner; ++i)
            expected[(r * 2 + part) * inner + i] = dout[r * inner + i] * slope(r, i);
      }
      std::vector<float> of_one_thread;
      for (const int threads : {1, 3}) {
        machine on(threads);
        const placed<float> exact(gate_up, 1), exact_dout(dout, 1);
        placed<float> out(rows * inner, 1), d(rows * 2 * inner, 1);
        kernels::gated_activation_backward(on.context, type, exact.data(), rows, inner, exact_dout.data(),
                                           out.data(), d.data());
        CAPTURE(name_of(type), rows, inner, threads);
        CHECK(support::compare(out, value.storage()) <= 1e-6);
        CHECK(support::compare(d, expected) <= 3e-6);
        if (threads == 1) of_one_thread.assign(d.begin(), d.end());
        CHECK(std::ranges::equal(d, of_one_thread));

        placed<float> same(gate_up, 1), same_out(dout, 1);
        kernels::gated_activation_backward(on.context, type, same.data(), rows, inner, same_out.data(),
                                           same_out.data(), same.data());
        CHECK(std::ranges::equal(same, d));
        CHECK(std::ranges::equal(same_out, out));
      }
    }
}

TEST_CASE("soft caps and their gradients are the formula's, and no number is beyond them") {
  for (const float cap : {1.0f, 30.0f, 50.0f})
    for (const std::size_t count : {1u, 7u, 16u, 33u, 100u, 9001u})
      for (const int threads : {1, 3}) {
        machine on(threads);
        auto values = random_values(count, 1, 60.0f);
        values[0] = 3e38f;
        if (count > 1) values[1] = -std::numeric_limits<float>::infinity();
        if (count > 2) values[2] = 1e-30f;
        const auto dy = random_values(count, 2);
        std::vector<double> expected(count), expected_dx(count);
        for (std::size_t i = 0; i < count; ++i) {
          const double share = std::tanh(static_cast<double>(values[i]) / static_cast<double>(cap));
          expected[i] = static_cast<double>(cap) * share;
          expected_dx[i] = static_cast<double>(dy[i]) * (1 - share * share);
        }
        placed<float> y(values, 1), dx(dy, 1);
        kernels::soft_cap(on.context, y.data(), count, cap);
        kernels::soft_cap_backward(on.context, y.data(), dx.data(), count, cap);
        CAPTURE(cap, count, threads);
        CHECK(support::compare(y, expected) <= 5e-7);
        if (count > 1) CHECK(support::compare(dx, expected_dx) <= 1e-6);
        CHECK(std::ranges::all_of(y, [cap](float value) { return std::fabs(value) <= cap; }));
      }
}
