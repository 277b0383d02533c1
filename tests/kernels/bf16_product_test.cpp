// Products of operands rounded to bf16 (f32_precision::bf16), which mixed precision training is made of.
#include <support/catch.hpp>

#include <cmath>
#include <vector>

#include <kernels/kernel_support.hpp>
#include <reference/linear.hpp>

#include <transept/kernels/matmul.hpp>
#include <transept/kernels/product.hpp>

using namespace transept;
using namespace kernel_tests;

namespace {

constexpr kernels::product_shape shapes[] = {{1, 1, 1},     {7, 5, 3},     {16, 32, 16},  {6, 256, 16},
                                             {13, 257, 33}, {125, 31, 50}, {37, 600, 65}, {3, 4100, 40}};

std::vector<float> rounded(std::vector<float> values) {
  for (float& value : values) value = to_float(to_bf16(value));
  return values;
}

std::vector<float> transposed_copy(const std::vector<float>& m, std::size_t rows, std::size_t cols) {
  std::vector<float> result(m.size());
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < cols; ++c) result[c * rows + r] = m[r * cols + c];
  return result;
}

struct operands {
  explicit operands(kernels::product_shape of)
      : shape(of), a(random_values(of.rows * of.inner, 1)), b(random_values(of.inner * of.cols, 2)) {}

  /// y + a · b, or a · b, each operand stored by rows or transposed; rows of y have a gap behind them.
  std::vector<float> product(f32_precision precision, int threads, bool a_transposed, bool b_transposed,
                             bool added) const {
    machine machine(threads);
    machine.context.precision = precision;
    const placed<float> exact_a(a_transposed ? transposed_copy(a, shape.rows, shape.inner) : a, 1);
    const placed<float> exact_b(b_transposed ? transposed_copy(b, shape.inner, shape.cols) : b, 3);
    const std::size_t stride = shape.cols + 3;
    std::vector<float> y(shape.rows * stride, 0.5f), result;
    kernels::multiply(
        machine.context, shape, {exact_a.data(), a_transposed ? shape.rows : shape.inner, a_transposed},
        {exact_b.data(), b_transposed ? shape.inner : shape.cols, b_transposed}, y.data(), stride, {}, added);
    for (std::size_t r = 0; r < shape.rows; ++r) {
      const auto row = y.begin() + static_cast<std::ptrdiff_t>(r * stride);
      result.insert(result.end(), row, row + static_cast<std::ptrdiff_t>(shape.cols));
      for (std::size_t c = shape.cols; c < stride; ++c) CHECK(y[r * stride + c] == 0.5f);
    }
    return result;
  }

  kernels::product_shape shape;
  std::vector<float> a, b;
};

/// a · b in double, and Σ|a b|.
struct twin {
  twin(const operands& of, double plus) {
    const reference::vector none = xt::zeros<double>({of.shape.cols});
    const array_shape<2> a_shape{of.shape.rows, of.shape.inner}, b_shape{of.shape.inner, of.shape.cols};
    exact =
        reference::linear(reference::array_of<2>(of.a, a_shape), reference::array_of<2>(of.b, b_shape), none);
    for (double& value : exact) value += plus;
    sizes = reference::linear(magnitudes<2>(of.a, a_shape), magnitudes<2>(of.b, b_shape), none);
  }
  /// Of the outputs, the worst error in units of share · Σ|a b|.
  double worst(const std::vector<float>& y, double share) const {
    reference::matrix allowed = sizes;
    for (double& value : allowed) value = share * value + 1e-6;
    return worst_excess(y, exact, allowed, y.size());
  }
  reference::matrix exact, sizes;
};

/// What f32 sums of as many terms may lose.
double of_sums(std::size_t inner) { return unit * (4 + 2 * std::sqrt(static_cast<double>(inner))); }

} // namespace

TEST_CASE("products in bf16 are those of rounded operands but for f32 sums, and err by at most 2^-7") {
  for (const auto& shape : shapes) {
    const operands given(shape);
    operands narrowed = given;
    narrowed.a = rounded(given.a);
    narrowed.b = rounded(given.b);
    for (const bool added : {false, true}) {
      const twin exact(given, added ? 0.5 : 0), of_rounded(narrowed, added ? 0.5 : 0);
      for (const bool a_transposed : {false, true})
        for (const bool b_transposed : {false, true}) {
          CAPTURE(shape.rows, shape.inner, shape.cols, a_transposed, b_transposed, added);
          const auto y = given.product(f32_precision::bf16, 1, a_transposed, b_transposed, added);
          CHECK(of_rounded.worst(y, of_sums(shape.inner)) <= 1);
          CHECK(exact.worst(y, 0x1p-7 + 0x1p-16 + of_sums(shape.inner)) <= 1);
          for (const int threads : {2, 3})
            CHECK(given.product(f32_precision::bf16, threads, a_transposed, b_transposed, added) == y);
          if (kernels::fastest_bf16_unit() == kernels::bf16_unit::none)
            CHECK(narrowed.product(f32_precision::full, 1, a_transposed, b_transposed, added) == y);
        }
    }
  }
}

TEST_CASE("products of two bf16 parts err by at most 3 · 2^-16 on AMX, and are those in f32 elsewhere") {
  for (const auto& shape : shapes) {
    const operands given(shape);
    const twin exact(given, 0.5);
    for (const bool transposed : {false, true}) {
      CAPTURE(shape.rows, shape.inner, shape.cols, transposed);
      const auto y = given.product(f32_precision::bf16x3, 2, transposed, !transposed, true);
      CHECK(exact.worst(y, 3 * 0x1p-16 + of_sums(shape.inner)) <= 1);
      if (!kernels::amx::available())
        CHECK(given.product(f32_precision::full, 2, transposed, !transposed, true) == y);
    }
  }
}

TEST_CASE("a linear layer's product is in bf16 for any number of rows, bias and residual in f32") {
  const std::size_t inner = 70, outputs = 40;
  const auto bias = random_values(outputs, 3);
  for (const std::size_t rows : {1u, 5u, 16u, 47u, 48u, 100u}) {
    const operands given({rows, inner, outputs});
    machine machine(2);
    machine.context.precision = f32_precision::bf16;
    std::vector<float> y(rows * outputs, 0.25f);
    kernels::matmul(machine.context, {given.a.data(), rows, inner},
                    {given.b.data(), element_type::f32, inner, outputs}, y.data(),
                    {.bias = bias.data(), .add_to_output = true});
    auto expected = given.product(f32_precision::bf16, 1, false, false, false);
    for (std::size_t i = 0; i < y.size(); ++i) expected[i] += bias[i % outputs] + 0.25f;
    CAPTURE(rows);
    for (std::size_t i = 0; i < y.size(); ++i) CHECK(y[i] == Approx(expected[i]).margin(2e-6));
  }
}

TEST_CASE("what bf16 cannot hold stays what it is: overflow infinite, NaN not a number") {
  const float most = std::numeric_limits<float>::max(), infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> a{most, -infinity, std::numeric_limits<float>::quiet_NaN(), 1.0f}, one{1.0f};
  std::vector<float> y(4);
  machine machine;
  machine.context.precision = f32_precision::bf16;
  kernels::multiply(machine.context, {4, 1, 1}, {a.data(), 1}, {one.data(), 1}, y.data(), 1);
  CHECK(y[0] == infinity);
  CHECK(y[1] == -infinity);
  CHECK(std::isnan(y[2]));
  CHECK(y[3] == 1.0f);
}
