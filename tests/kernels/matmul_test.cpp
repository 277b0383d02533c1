// The matrix products against their twins, and against themselves: one row and many give the same bits.
#include "kernel_support.hpp"

#include <reference/activation.hpp>
#include <reference/linear.hpp>

#include <transept/kernels/embedding.hpp>
#include <transept/kernels/matmul.hpp>
#include <transept/tensor/buffer.hpp>

#include <support/catch.hpp>

#include <cstring>
#include <optional>

using namespace kernel_tests;
namespace kernels = transept::kernels;
using transept::activation_type;

namespace {

/// One, a few, and many: more than two register tiles of six, or one of twelve.
constexpr std::size_t few = 13, most_rows = kernels::many_rows + 13;

/// Calls f with every number of rows that is worth a test.
template <class F>
void for_row_counts(F&& f) {
  for (std::size_t rows = 1; rows <= few; ++rows) f(rows);
  for (std::size_t rows = kernels::many_rows - 1; rows <= most_rows; ++rows) f(rows);
}

enum class lying { by_inputs, by_outputs, in_panels };

/// A product to compute in any layout: x [most_rows, inner], and weights of `outputs` × `inner`.
template <class T>
struct product {
  lying how;
  bool transposed = how == lying::by_outputs;
  std::size_t inner, outputs;
  placed<float> x, bias, residual;
  placed<T> weights;

  product(lying weights_lie, std::size_t inner_size, std::size_t output_size)
      : how(weights_lie),
        inner(inner_size),
        outputs(output_size),
        x(random_values(most_rows * inner, 1), 1),
        bias(random_values(outputs, 2), 1),
        residual(random_values(most_rows * outputs, 3), 1),
        weights(random_weights<T>(inner * outputs, 4)) {}

  kernels::stored_matrix matrix() const {
    return {weights.data(), type_of<T>, transposed ? outputs : inner, transposed ? inner : outputs};
  }

  /// The same weights in panels.
  kernels::stored_matrix packed(machine& on, transept::buffer<std::byte>& panels) const {
    panels = transept::buffer<std::byte>(kernels::panel_bytes(type_of<T>, inner, outputs));
    kernels::pack_float_panels(on.threads, matrix(), panels.data());
    return {panels.data(), type_of<T>, inner, outputs, transept::matrix_layout::panels};
  }

  /// y [rows, outputs] for rows [first, first + rows) of x.
  placed<float> compute(machine& on, std::size_t rows, kernels::epilogue finish = {},
                        std::size_t first = 0) const {
    placed<float> y(rows * outputs, 1);
    std::copy_n(residual.data() + first * outputs, rows * outputs, y.data());
    // Exactly the rows that are asked for.
    const placed<float> rows_of_x(std::span(x.data() + first * inner, rows * inner), 1);
    const kernels::rows_of_floats operand{rows_of_x.data(), rows, inner};
    transept::buffer<std::byte> panels;
    if (transposed)
      kernels::matmul_transposed(on.context, operand, matrix(), y.data(), finish);
    else
      kernels::matmul(on.context, operand, how == lying::in_panels ? packed(on, panels) : matrix(), y.data(),
                      finish);
    return y;
  }

  reference::matrix twin(const reference::matrix& rows, const reference::matrix& values,
                         const reference::vector& offsets) const {
    return transposed ? reference::linear_transposed(rows, values, offsets)
                      : reference::linear(rows, values, offsets);
  }

  /// Σ |x · w| + |bias|, of which each rounding can cost one unit.
  reference::matrix scale(bool with_bias) const {
    const auto offsets =
        with_bias ? magnitudes<1>(bias, {outputs}) : reference::vector(xt::zeros<double>({outputs}));
    return twin(magnitudes<2>(x, {most_rows, inner}), magnitudes<2>(weights, shape()), offsets);
  }

  reference::matrix expected(bool with_bias) const {
    const auto offsets =
        with_bias ? reference::array_of<1>(bias, {outputs}) : reference::vector(xt::zeros<double>({outputs}));
    return twin(reference::array_of<2>(x, {most_rows, inner}), reference::array_of<2>(weights, shape()),
                offsets);
  }

  transept::array_shape<2> shape() const {
    return {transposed ? outputs : inner, transposed ? inner : outputs};
  }
};

/// Roundings accumulate like a random walk.
double roundings(std::size_t inner) { return 4 + 2 * std::sqrt(static_cast<double>(inner)); }

/// Error allowed to a product of `rows` rows, in units of Σ |x · w|. Tiles of bf16 round the activations.
template <class T>
double allowed_error(std::size_t rows, std::size_t inner) {
  return unit * roundings(inner) + (kernels::runs_in_tiles(type_of<T>, rows) ? 0x1p-8 : 0);
}

template <class T>
void check_against_twin(machine& on, lying how, std::size_t inner, std::size_t outputs) {
  const product<T> problem(how, inner, outputs);
  const auto expected = problem.expected(false);
  const auto scale = problem.scale(false);
  for_row_counts([&](std::size_t rows) {
    const reference::matrix allowed = scale * allowed_error<T>(rows, inner);
    const auto y = problem.compute(on, rows);
    CAPTURE(how, inner, outputs, rows);
    REQUIRE(worst_excess(y, expected, allowed, rows * outputs) <= 1);
  });
}

template <class Values>
bool same_bits(const Values& a, const float* b, std::size_t count) {
  return std::memcmp(a.data(), b, count * sizeof(float)) == 0;
}

} // namespace

TEMPLATE_TEST_CASE("both matrix products agree with their twins at odd sizes, unaligned", "", float, f16,
                   bf16) {
  machine on;
  const lying how = GENERATE(lying::by_inputs, lying::by_outputs, lying::in_panels);
  for (const std::size_t outputs : odd_sizes)
    for (const std::size_t inner : {1u, 2u, 3u, 7u, 8u, 9u, 17u, 31u, 33u, 100u})
      check_against_twin<TestType>(on, how, inner, outputs);
}

TEMPLATE_TEST_CASE("both matrix products agree with their twins over several cache blocks", "", float, f16,
                   bf16) {
  machine on;
  const lying how = GENERATE(lying::by_inputs, lying::by_outputs, lying::in_panels);
  for (const std::size_t inner : {255u, 256u, 257u, 600u}) check_against_twin<TestType>(on, how, inner, 33);
  for (const std::size_t outputs : {255u, 256u, 257u, 1025u}) // 1024: the one-row kernel's strip
    check_against_twin<TestType>(on, how, 9, outputs);
  for (const std::size_t inner : {64u, 288u}) check_against_twin<TestType>(on, how, inner, 96); // whole tiles
}

TEMPLATE_TEST_CASE("a row's bits depend neither on the rows beside it nor on the number of threads", "",
                   float, f16, bf16) {
  const lying how = GENERATE(lying::by_inputs, lying::by_outputs, lying::in_panels);
  const auto [inner, outputs] = GENERATE(std::pair{1u, 1u}, std::pair{33u, 100u}, std::pair{600u, 333u},
                                         std::pair{257u, 1100u}, std::pair{64u, 96u}, std::pair{288u, 480u});
  const product<TestType> problem(how, inner, outputs);
  const kernels::epilogue finish{
      .bias = problem.bias.data(), .add_to_output = true, .activation = activation_type::gelu_tanh};
  std::vector<float> row_by_row;
  machine one;
  for (std::size_t r = 0; r < most_rows; ++r) {
    const auto y = problem.compute(one, 1, finish, r);
    row_by_row.insert(row_by_row.end(), y.begin(), y.end());
  }
  const auto all_at_once = problem.compute(one, most_rows, finish);
  const auto expected = [&](std::size_t rows) { // tiles have an order of their own, but only one
    return kernels::runs_in_tiles(type_of<TestType>, rows) ? all_at_once.data() : row_by_row.data();
  };
  for (const int threads : {1, 2, 3, 4}) {
    machine on(threads);
    for_row_counts([&](std::size_t rows) {
      CAPTURE(how, inner, outputs, threads, rows);
      const auto y = problem.compute(on, rows, finish);
      REQUIRE(same_bits(y, expected(rows), rows * outputs));
    });
    for (const std::size_t rows :
         {few, most_rows - 2}) { // from another first row, so that tiles begin elsewhere
      const auto y = problem.compute(on, rows, finish, 2);
      REQUIRE(same_bits(y, expected(rows) + 2 * outputs, rows * outputs));
    }
  }
}

TEMPLATE_TEST_CASE("bias, residual and activation are applied in that order, in any combination", "", float,
                   f16, bf16) {
  machine on;
  const lying how = GENERATE(lying::by_inputs, lying::by_outputs, lying::in_panels);
  const bool with_bias = GENERATE(false, true);
  const bool with_residual = GENERATE(false, true);
  const auto activation =
      GENERATE(std::optional<activation_type>(), std::optional(activation_type::gelu_tanh),
               std::optional(activation_type::gelu_erf), std::optional(activation_type::relu));
  const product<TestType> problem(how, 300, 33);
  const kernels::epilogue finish{.bias = with_bias ? problem.bias.data() : nullptr,
                                 .add_to_output = with_residual,
                                 .activation = activation};
  auto expected = problem.expected(with_bias);
  auto scale = problem.scale(with_bias);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    double& value = expected.data()[i];
    if (with_residual) {
      value += static_cast<double>(problem.residual[i]);
      scale.data()[i] += std::fabs(static_cast<double>(problem.residual[i]));
    }
    if (activation) value = reference::activation(*activation, value);
  }
  for (const std::size_t rows : {std::size_t{1}, std::size_t{3}, std::size_t{4}, few, most_rows}) {
    CAPTURE(how, with_bias, with_residual, rows);
    reference::matrix allowed = scale * allowed_error<TestType>(rows, 300);
    if (activation) // none is steeper than 1.13
      allowed = 1.2 * allowed + 4 * unit * xt::fmax(1.0, xt::abs(expected));
    CHECK(worst_excess(problem.compute(on, rows, finish), expected, allowed, rows * 33) <= 1);
  }
}

TEMPLATE_TEST_CASE("every bit pattern of a 16-bit weight is multiplied exactly", "", f16, bf16) {
  machine on;
  const lying how = GENERATE(lying::by_inputs, lying::by_outputs, lying::in_panels);
  const std::size_t rows = GENERATE(std::size_t{1}, std::size_t{5}, kernels::many_rows);
  product<TestType> problem(how, 1, 65536); // subnormals, infinities and NaN among them
  for (std::size_t i = 0; i < 65536; ++i) problem.weights[i].bits = static_cast<std::uint16_t>(i);
  std::fill(problem.x.begin(), problem.x.end(), 1.0f);
  const auto y = problem.compute(on, rows);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < rows * 65536; ++i) {
    float expected = to_float(problem.weights[i % 65536]);
    if (std::fpclassify(expected) == FP_SUBNORMAL && kernels::runs_in_tiles(type_of<TestType>, rows))
      expected = 0; // as products of bf16 take them
    if (!(std::isnan(expected) ? std::isnan(y[i]) : y[i] == expected)) ++wrong;
  }
  CHECK(wrong == 0);
}

TEMPLATE_TEST_CASE("NaN and infinite weights show in the outputs that read them, and in no other", "", float,
                   f16, bf16) {
  machine on;
  const lying how = GENERATE(lying::by_inputs, lying::by_outputs, lying::in_panels);
  constexpr std::size_t inner = 40, outputs = 35;
  product<TestType> problem(how, inner, outputs);
  const auto at = [&](std::size_t k, std::size_t n) -> TestType& {
    return problem.weights[problem.transposed ? n * inner + k : k * outputs + n];
  };
  at(0, 3) = narrow(std::numeric_limits<float>::quiet_NaN(), TestType{});
  at(39, 34) = narrow(std::numeric_limits<float>::infinity(), TestType{});
  for (const std::size_t rows : {std::size_t{1}, std::size_t{2}, few, most_rows}) {
    const auto y = problem.compute(on, rows);
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t n = 0; n < outputs; ++n) {
        CAPTURE(rows, r, n);
        const float value = y[r * outputs + n];
        if (n == 3)
          CHECK(std::isnan(value));
        else if (n == 34)
          CHECK(std::isinf(value));
        else
          CHECK(std::isfinite(value));
      }
    }
  }
}

TEST_CASE("huge and tiny f32 operands multiply without loss, and overflow gives infinity") {
  machine on;
  const lying how = GENERATE(lying::by_inputs, lying::by_outputs, lying::in_panels);
  product<float> problem(how, 9, 17);
  for (std::size_t i = 0; i < problem.x.size(); ++i) problem.x[i] *= i % 2 ? 1e18f : 1e-18f;
  for (float& weight : problem.weights) weight *= 1e18f;
  const auto expected = problem.expected(false);
  reference::matrix allowed = problem.scale(false);
  for (double& bound : allowed) bound *= unit * roundings(9);
  for (const std::size_t rows : {std::size_t{1}, few, most_rows})
    CHECK(worst_excess(problem.compute(on, rows), expected, allowed, rows * 17) <= 1);

  for (float& value : problem.x) value = 1e25f;
  for (float& weight : problem.weights) weight = 1e25f;
  for (const std::size_t rows : {std::size_t{1}, few, most_rows})
    for (const float value : problem.compute(on, rows))
      CHECK(value == std::numeric_limits<float>::infinity());
}

TEST_CASE("matmul takes no more scratch memory than it says") {
  const lying how = GENERATE(lying::by_inputs, lying::by_outputs, lying::in_panels);
  const int threads = GENERATE(1, 3);
  const product<f16> problem(how, 600, 333);
  transept::thread_pool pool(threads);
  const auto count = static_cast<std::size_t>(threads);
  transept::workspace memory(problem.transposed ? kernels::matmul_transposed_scratch_bytes(600, count)
                                                : kernels::product_scratch_bytes(most_rows, 333, count));
  const std::size_t before = memory.capacity();
  transept::compute_context context{pool, memory};
  placed<float> y(problem.residual, 1);
  const kernels::rows_of_floats x{problem.x.data(), most_rows, 600};
  machine one;
  transept::buffer<std::byte> panels;
  if (problem.transposed)
    kernels::matmul_transposed(context, x, problem.matrix(), y.data(), {.add_to_output = true});
  else
    kernels::matmul(context, x, how == lying::in_panels ? problem.packed(one, panels) : problem.matrix(),
                    y.data(), {.add_to_output = true});
  CHECK(memory.capacity() == before);
}

TEMPLATE_TEST_CASE("weights in panels keep their bits, and their products those of weights by inputs", "",
                   float, f16, bf16) {
  machine on(2);
  const auto [inner, outputs] =
      GENERATE(std::pair{1u, 1u}, std::pair{2u, 16u}, std::pair{33u, 100u}, std::pair{257u, 333u});
  const product<TestType> by_inputs(lying::by_inputs, inner, outputs),
      packed(lying::in_panels, inner, outputs);
  for_row_counts([&](std::size_t rows) {
    const kernels::epilogue finish{.bias = packed.bias.data(), .add_to_output = true};
    CAPTURE(inner, outputs, rows);
    REQUIRE(same_bits(by_inputs.compute(on, rows, finish), packed.compute(on, rows, finish).data(),
                      rows * outputs));
  });
  // Packed from either way the weights lie, read back by inputs and by outputs.
  const product<TestType> by_outputs(lying::by_outputs, inner, outputs);
  transept::buffer<std::byte> panels, others(kernels::panel_bytes(type_of<TestType>, inner, outputs));
  const kernels::stored_matrix w = packed.packed(on, panels);
  std::vector<float> row(outputs), column(inner);
  for (std::size_t k = 0; k < inner; ++k) {
    kernels::copy_input_row(w, k, row.data());
    for (std::size_t n = 0; n < outputs; ++n)
      REQUIRE(row[n] == transept::to_float(packed.weights[k * outputs + n]));
  }
  kernels::pack_float_panels(on.threads, transposed(by_outputs.matrix()), others.data());
  for (std::size_t n = 0; n < outputs; ++n) {
    kernels::read_panel_output(w.type, others.data(), inner, n, column.data());
    for (std::size_t k = 0; k < inner; ++k)
      REQUIRE(column[k] == transept::to_float(by_outputs.weights[n * inner + k]));
  }
}
