// Block-quantized weights: the formats, their packing, the integer sums, and the products made of them.
#include "kernel_support.hpp"

#include <reference/blocks.hpp>
#include <reference/linear.hpp>

#include <transept/core/blocks.hpp>
#include <transept/kernels/embedding.hpp>
#include <transept/kernels/matmul.hpp>
#include <transept/kernels/quantize.hpp>
#include <transept/tensor/buffer.hpp>

#include <support/catch.hpp>

#include <cstring>

using namespace kernel_tests;
namespace kernels = transept::kernels;
using transept::matrix_layout;

namespace {

const element_type block_types[] = {element_type::q8_0, element_type::q4_0, element_type::q4_k};

/// Weights of `outputs` × `inputs`, packed; `values` [outputs, inputs] is what they decode to.
struct packed_weights {
  element_type type;
  std::size_t inputs, outputs;
  transept::buffer<std::byte> bytes;
  std::vector<float> values;

  packed_weights(element_type to, std::size_t input_count, std::size_t output_count, unsigned seed)
      : type(to),
        inputs(input_count),
        outputs(output_count),
        bytes(kernels::panel_bytes(to, input_count, output_count)),
        values(inputs * outputs) {
    machine on(2);
    if (type == element_type::q4_k) {
      const auto blocks = random_q4_k((inputs + 31) / 32, seed);
      kernels::pack_panels(on.threads, type, blocks.data(), inputs, outputs, bytes.data());
    } else {
      const auto weights = random_weights<float>(inputs * outputs, seed);
      kernels::quantize_panels(on.threads, {weights.data(), element_type::f32, outputs, inputs}, true, type,
                               bytes.data());
    }
    for (std::size_t o = 0; o < outputs; ++o) kernels::copy_row(as_table(), o, values.data() + o * inputs);
  }

  /// Blocks that no quantizer of the library makes; two of a group share their scale and least number.
  std::vector<transept::q4_k_block> random_q4_k(std::size_t blocks, unsigned seed) const {
    std::mt19937 random(seed);
    std::vector<transept::q4_k_block> made(blocks * outputs);
    for (std::size_t i = 0; i < made.size(); ++i) {
      transept::q4_k_block& block = made[i];
      const auto scale = [&] {
        return transept::to_f16(0.0005f * static_cast<float>(random() % 1000) / 1000);
      };
      block.scale = i % blocks % 2 == 0 ? scale() : made[i - 1].scale;
      block.least = i % blocks % 2 == 0 ? scale() : made[i - 1].least;
      block.factor = static_cast<std::uint8_t>(random() % 64);
      block.offset = static_cast<std::uint8_t>(random() % 64);
      for (auto& byte : block.values) byte = static_cast<std::uint8_t>(random());
    }
    return made;
  }

  kernels::stored_matrix as_table() const {
    return {bytes.data(), type, outputs, inputs, matrix_layout::panels};
  }
  kernels::stored_matrix as_linear() const {
    return {bytes.data(), type, inputs, outputs, matrix_layout::panels};
  }
};

std::vector<float> product(machine& on, const packed_weights& w, std::span<const float> x, std::size_t rows,
                           bool as_table = false, kernels::epilogue finish = {}) {
  std::vector<float> y(rows * w.outputs, 0.25f);
  const kernels::rows_of_floats operand{x.data(), rows, w.inputs};
  if (as_table)
    kernels::matmul_transposed(on.context, operand, w.as_table(), y.data(), finish);
  else
    kernels::matmul(on.context, operand, w.as_linear(), y.data(), finish);
  return y;
}

template <class Group>
inline constexpr transept::element_type type_of_group =
    std::is_same_v<Group, kernels::q8_group> ? transept::element_type::q8_0 : transept::element_type::q4_0;

/// x [32] as a block of Group's type, and back.
template <class Group>
void round_trip(const std::vector<float>& x, float* decoded) {
  typename Group::block block;
  kernels::quantize_blocks(type_of_group<Group>, x.data(), 1, &block);
  transept::dequantize(block, decoded);
}

double square(double value) { return value * value; }

} // namespace

TEST_CASE("blocks decode to what their formulas say") {
  for (const float deviation : {1.0f, 1e-3f, 100.0f}) {
    for (unsigned seed = 0; seed < 50; ++seed) {
      const auto x = random_values(32, seed, deviation);
      const std::vector<double> exact(x.begin(), x.end());
      float decoded[32];
      round_trip<kernels::q8_group>(x, decoded);
      const auto q8 = reference::q8_0(exact);
      for (std::size_t i = 0; i < 32; ++i) REQUIRE(static_cast<double>(decoded[i]) == Approx(q8[i]));

      // Four bits: at least as near as llama.cpp's choice of scale, block for block.
      round_trip<kernels::q4_group>(x, decoded);
      const auto q4 = reference::q4_0(exact);
      double ours = 0, theirs = 0;
      for (std::size_t i = 0; i < 32; ++i) {
        ours += square(static_cast<double>(decoded[i]) - exact[i]);
        theirs += square(q4[i] - exact[i]);
      }
      REQUIRE(ours <= theirs * (1 + 1e-5));
    }
  }
}

TEST_CASE("a block of zeros is zeros, and one with a NaN, an infinity or too large a number is NaN") {
  std::vector<float> x(32, 0.0f);
  float decoded[32];
  const auto check = [&](auto expected) {
    round_trip<kernels::q8_group>(x, decoded);
    for (const float value : decoded) REQUIRE(expected(value));
    round_trip<kernels::q4_group>(x, decoded);
    for (const float value : decoded) REQUIRE(expected(value));
  };
  check([](float value) { return value == 0; });
  for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity(), 1e30f}) {
    x[7] = bad;
    check([](float value) { return std::isnan(value); });
  }
}

TEST_CASE("packing keeps every block bit for bit, at sizes that fill no panel and no group") {
  const std::size_t inputs = 32 * 5, outputs = 37;
  const auto weights = random_values(inputs * outputs, 3);
  machine on(2);
  const auto check = [&]<class Group>(std::type_identity<Group>) {
    using block = typename Group::block;
    std::vector<block> blocks(weights.size() / 32);
    kernels::quantize_blocks(type_of_group<Group>, weights.data(), blocks.size(), blocks.data());
    const std::size_t groups = kernels::panel_groups(inputs);
    transept::buffer<Group> packed(kernels::panel_count(outputs) * groups);
    kernels::pack_panels(on.threads, type_of_group<Group>, blocks.data(), inputs, outputs, packed.data());
    for (std::size_t o = 0; o < outputs; ++o) {
      for (std::size_t b = 0; b < 5; ++b) {
        const auto back = kernels::get_block(packed.data()[o / 16 * groups + b / 2], b % 2, o % 16);
        REQUIRE(std::memcmp(&back, &blocks[o * 5 + b], sizeof back) == 0);
      }
    }
  };
  check(std::type_identity<kernels::q8_group>{});
  check(std::type_identity<kernels::q4_group>{});
}

TEST_CASE("packing keeps blocks of Q4_K, and what they stand for; none are made of numbers") {
  machine on(2);
  const packed_weights w(element_type::q4_k, 32 * 6, 37, 3);
  const auto blocks = w.random_q4_k(6, 3);
  for (std::size_t o = 0; o < w.outputs; ++o)
    for (std::size_t b = 0; b < 6; ++b) {
      const auto* const groups = reinterpret_cast<const kernels::q4_k_group*>(w.bytes.data());
      const auto back =
          kernels::get_block(groups[o / 16 * kernels::panel_groups(32 * 6) + b / 2], b % 2, o % 16);
      const transept::q4_k_block& block = blocks[o * 6 + b];
      REQUIRE(std::memcmp(&back, &block, sizeof back) == 0);
      for (std::size_t i = 0; i < 32; ++i) {
        const int q = i < 16 ? block.values[i] & 15 : block.values[i - 16] >> 4;
        const float expected = to_float(block.scale) * block.factor * static_cast<float>(q) -
                               to_float(block.least) * block.offset;
        REQUIRE(w.values[o * w.inputs + 32 * b + i] == expected);
      }
    }
  float x[32] = {};
  transept::q4_k_block block;
  CHECK_THROWS_AS(kernels::quantize_blocks(element_type::q4_k, x, 1, &block), transept::argument_error);
}

TEST_CASE("a matrix is quantized to the same blocks from any layout, at sizes that fill no tile") {
  const std::size_t inputs = 75, outputs = 37, blocks = 3;
  auto weights = random_values(inputs * outputs, 4, 0.1f); // [outputs, inputs]
  weights[20 * inputs + 40] = std::nanf("");
  std::vector<float> by_inputs(weights.size()), padded(outputs * blocks * 32, 0.0f);
  for (std::size_t o = 0; o < outputs; ++o)
    for (std::size_t i = 0; i < inputs; ++i)
      padded[o * blocks * 32 + i] = by_inputs[i * outputs + o] = weights[o * inputs + i];
  const auto check = [&]<class Group>(std::type_identity<Group>, element_type type) {
    std::vector<typename Group::block> expected(outputs * blocks);
    kernels::quantize_blocks(type_of_group<Group>, padded.data(), expected.size(), expected.data());
    const std::size_t groups = kernels::panel_groups(inputs);
    const auto compare = [&](kernels::stored_matrix from, bool outputs_are_rows) {
      machine on(3);
      transept::buffer<Group> packed(kernels::panel_count(outputs) * groups);
      kernels::quantize_panels(on.threads, from, outputs_are_rows, type, packed.data());
      for (std::size_t o = 0; o < outputs; ++o) {
        for (std::size_t b = 0; b < blocks; ++b) {
          const auto block = kernels::get_block(packed.data()[o / 16 * groups + b / 2], b % 2, o % 16);
          REQUIRE(std::memcmp(&block, &expected[o * blocks + b], sizeof block) == 0);
        }
      }
    };
    compare({weights.data(), element_type::f32, outputs, inputs}, true);
    compare({by_inputs.data(), element_type::f32, inputs, outputs}, false);
    compare({weights.data(), element_type::f32, inputs, outputs, matrix_layout::transposed}, false);
  };
  check(std::type_identity<kernels::q8_group>{}, element_type::q8_0);
  check(std::type_identity<kernels::q4_group>{}, element_type::q4_0);
}

TEST_CASE("the integer sums of a block are exact, extremes included") {
  std::mt19937 engine(1);
  std::uniform_int_distribution<int> any(-128, 127);
  for (int round = 0; round < 200; ++round) {
    kernels::q8_group q8[2]{};
    kernels::q4_group q4[2]{};
    std::int8_t values[3][32];
    std::int32_t row_sums[3] = {};
    const bool extreme = round < 4;
    for (std::size_t r = 0; r < 3; ++r) {
      for (auto& value : values[r]) {
        value = static_cast<std::int8_t>(extreme ? (round & 1 ? 127 : -127) : std::max(-127, any(engine)));
        row_sums[r] += value;
      }
    }
    int w8[2][16][32], w4[2][16][32];
    for (std::size_t p = 0; p < 2; ++p) {
      for (std::size_t o = 0; o < 16; ++o) {
        transept::q8_0_block eight{};
        transept::q4_0_block four{};
        for (std::size_t i = 0; i < 32; ++i) {
          w8[p][o][i] = extreme ? (round & 2 ? 127 : -128) : any(engine);
          w4[p][o][i] = extreme ? (round & 2 ? 7 : -8) : (any(engine) & 15) - 8;
          eight.values[i] = static_cast<std::int8_t>(w8[p][o][i]);
          four.values[i % 16] |= static_cast<std::uint8_t>((w4[p][o][i] + 8) << (i < 16 ? 0 : 4));
        }
        kernels::set_block(q8[p], 1, o, eight);
        kernels::set_block(q4[p], 1, o, four);
      }
    }
    const kernels::detail::x_block x{values[0], row_sums, 1};
    kernels::detail::output_sums sums8[2][3], sums4[2][3];
    kernels::detail::block_sums<3, 2>({&q8[0].values[1], &q8[1].values[1]}, x, sums8);
    kernels::detail::block_sums<3, 2>({&q4[0].values[1], &q4[1].values[1]}, x, sums4);
    for (std::size_t p = 0; p < 2; ++p) {
      for (std::size_t r = 0; r < 3; ++r) {
        for (std::size_t o = 0; o < 16; ++o) {
          int expected8 = 0, expected4 = 0;
          for (std::size_t i = 0; i < 32; ++i) {
            expected8 += values[r][i] * w8[p][o][i];
            expected4 += values[r][i] * w4[p][o][i];
          }
          REQUIRE(sums8[p][r][o] == expected8);
          REQUIRE(sums4[p][r][o] == expected4);
        }
      }
    }
  }
}

TEST_CASE("products with quantized weights err by no more than rounding the activations allows") {
  machine on(2);
  const auto type = GENERATE(from_range(std::begin(block_types), std::end(block_types)));
  for (const std::size_t inputs : {1u, 31u, 32u, 33u, 64u, 100u, 600u}) {
    for (const std::size_t outputs : odd_sizes) {
      const packed_weights w(type, inputs, outputs, 5);
      const std::size_t rows = 5;
      const auto x = random_values(rows * inputs, 6);
      const auto expected = reference::linear_transposed(reference::array_of<2>(x, {rows, inputs}),
                                                         reference::array_of<2>(w.values, {outputs, inputs}),
                                                         reference::vector(xt::zeros<double>({outputs})));
      std::vector<double> allowed(rows * outputs);
      for (std::size_t r = 0; r < rows; ++r) {
        for (std::size_t o = 0; o < outputs; ++o) {
          for (std::size_t i = 0; i < inputs; ++i) {
            double most = 0; // of the block
            for (std::size_t j = i / 32 * 32; j < std::min(inputs, i / 32 * 32 + 32); ++j)
              most = std::max(most, std::fabs(static_cast<double>(x[r * inputs + j])));
            allowed[r * outputs + o] +=
                std::fabs(static_cast<double>(w.values[o * inputs + i])) * most * 1.001 / 254;
          }
          allowed[r * outputs + o] += 1e-5;
        }
      }
      CAPTURE(name_of(type), inputs, outputs);
      REQUIRE(worst_excess(product(on, w, x, rows), expected, allowed, rows * outputs) <= 1);
      REQUIRE(product(on, w, x, rows, true) == product(on, w, x, rows, false));
    }
  }
}

TEST_CASE("where the activations are integers up to 127, products with quantized weights are exact") {
  machine on;
  const auto type = GENERATE(from_range(std::begin(block_types), std::end(block_types)));
  const std::size_t inputs = 256, outputs = 50, rows = 3;
  const packed_weights w(type, inputs, outputs, 7);
  std::vector<float> x;
  for (const float value : random_values(rows * inputs, 8, 30.0f))
    x.push_back(std::clamp(std::nearbyint(value), -126.0f, 126.0f));
  for (std::size_t i = 0; i < x.size(); i += 32) x[i] = i % 64 == 0 ? 127.0f : -127.0f;
  const auto values = reference::array_of<2>(w.values, {outputs, inputs});
  const auto zeros = reference::vector(xt::zeros<double>({outputs}));
  const auto expected =
      reference::linear_transposed(reference::array_of<2>(x, {rows, inputs}), values, zeros);
  reference::matrix allowed = reference::linear_transposed(magnitudes<2>(x, {rows, inputs}),
                                                           magnitudes<2>(w.values, {outputs, inputs}), zeros);
  // Q4_K's products are of q − 8 and of what makes up for it, which are larger.
  for (double& bound : allowed) bound *= unit * (type == element_type::q4_k ? 100 : 8);
  REQUIRE(worst_excess(product(on, w, x, rows), expected, allowed, rows * outputs) <= 1);
}

TEST_CASE("with quantized weights a row's bits depend neither on the rows beside it nor on threads") {
  const auto type = GENERATE(from_range(std::begin(block_types), std::end(block_types)));
  const auto [inputs, outputs] = GENERATE(std::pair{33u, 100u}, std::pair{600u, 333u});
  const packed_weights w(type, inputs, outputs, 9);
  const std::size_t most_rows = 37; // whole tiles of every kernel, and a rest
  const auto x = random_values(most_rows * inputs, 10);
  const auto bias = random_values(outputs, 11);
  const kernels::epilogue finish{
      .bias = bias.data(), .add_to_output = true, .activation = transept::activation_type::gelu_tanh};
  std::vector<float> row_by_row;
  machine one;
  for (std::size_t r = 0; r < most_rows; ++r) {
    const auto y = product(one, w, std::span(x).subspan(r * inputs, inputs), 1, false, finish);
    row_by_row.insert(row_by_row.end(), y.begin(), y.end());
  }
  for (const int threads : {1, 2, 3, 4}) {
    machine on(threads);
    for (std::size_t rows = 2; rows <= most_rows; ++rows) {
      const auto y = product(on, w, x, rows, false, finish);
      REQUIRE(std::memcmp(y.data(), row_by_row.data(), y.size() * sizeof(float)) == 0);
    }
  }
}

TEST_CASE("activations too small to have an inverse are zeros to quantized weights") {
  machine on;
  const auto type = GENERATE(from_range(std::begin(block_types), std::end(block_types)));
  const packed_weights w(type, 64, 20, 14);
  std::vector<float> x(64, 0.0f);
  x[3] = 1e-38f;
  for (const float value : product(on, w, x, 1)) CHECK(value == 0.0f);
}

TEST_CASE("NaN in a row, or in a weight's block, shows in what depends on it and nowhere else") {
  machine on(2);
  const auto type = GENERATE(from_range(std::begin(block_types), std::end(block_types)));
  packed_weights w(type, 96, 40, 12);
  auto x = random_values(3 * 96, 13);
  x[96 + 50] = GENERATE(std::nanf(""), -std::numeric_limits<float>::infinity());
  auto y = product(on, w, x, 3);
  for (std::size_t r = 0; r < 3; ++r)
    for (std::size_t o = 0; o < 40; ++o) REQUIRE(std::isnan(y[r * 40 + o]) == (r == 1));

  kernels::with_group_type(type, [&]<class Group>(std::type_identity<Group>) {
    Group& group = reinterpret_cast<Group*>(w.bytes.data())[kernels::panel_groups(96) + 1];
    if constexpr (std::is_same_v<Group, kernels::q4_k_group>) // output 20
      group.scale[4] = transept::detail::not_a_number;
    else
      group.scales[0][4] = transept::detail::not_a_number;
  });
  x[96 + 50] = 0;
  y = product(on, w, x, 3);
  for (std::size_t i = 0; i < y.size(); ++i) REQUIRE(std::isnan(y[i]) == (i % 40 == 20));
}

TEST_CASE("a linear layer's weights lie by inputs or by outputs: the product is the same") {
  machine on(2);
  const std::size_t inputs = 70, outputs = 90;
  const auto by_outputs = random_values(inputs * outputs, 14);
  std::vector<float> by_inputs(by_outputs.size());
  for (std::size_t o = 0; o < outputs; ++o)
    for (std::size_t i = 0; i < inputs; ++i) by_inputs[i * outputs + o] = by_outputs[o * inputs + i];
  for (const std::size_t rows : {1u, 3u, 9u}) {
    const auto x = random_values(rows * inputs, 15);
    const kernels::rows_of_floats operand{x.data(), rows, inputs};
    std::vector<float> y(rows * outputs), z(rows * outputs);
    kernels::matmul(on.context, operand, {by_inputs.data(), element_type::f32, inputs, outputs}, y.data(),
                    {});
    kernels::matmul(on.context, operand,
                    {by_outputs.data(), element_type::f32, inputs, outputs, matrix_layout::transposed},
                    z.data(), {});
    for (std::size_t i = 0; i < y.size(); ++i) REQUIRE(y[i] == Approx(z[i]).margin(1e-4));
  }
}
