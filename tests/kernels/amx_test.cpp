// AMX: when it may be used, how its operands are packed, and its products against their twins. Where the
// build or the machine has none, the products are skipped, and say so.
#include "kernel_support.hpp"

#include <reference/linear.hpp>

#include <transept/kernels/matmul.hpp>
#include <transept/tensor/buffer.hpp>

#include <catch2/catch.hpp>

#include <fstream>
#include <iostream>
#include <sstream>

using namespace kernel_tests;
namespace kernels = transept::kernels;
namespace amx = transept::kernels::amx;

TEST_CASE("AMX is used just where the build allows it and Linux shows it") {
#if TRANSEPT_HAS_AMX
  std::stringstream cpuinfo;
  cpuinfo << std::ifstream("/proc/cpuinfo").rdbuf();
  bool shown = true;
  for (const char* flag : {" amx_tile", " amx_bf16", " amx_int8"})
    shown = shown && cpuinfo.str().find(flag) != std::string::npos;
  CHECK(amx::available() == shown);
#else
  CHECK(!amx::available());
#endif
  CHECK(kernels::runs_on_amx(element_type::bf16, kernels::amx_rows) == amx::available());
  CHECK(!kernels::runs_on_amx(element_type::bf16, kernels::amx_rows - 1));
  CHECK(!kernels::runs_on_amx(element_type::f32, kernels::amx_rows));
  CHECK(kernels::runs_on_amx(element_type::f32, kernels::amx_rows, transept::f32_precision::bf16x3) ==
        amx::available());
}

#if TRANSEPT_HAS_AMX

namespace {

bool no_amx() {
  if (!amx::available()) std::cout << "SKIPPED: needs AMX, which this machine lacks\n";
  return !amx::available();
}

constexpr std::size_t tile_sizes[] = {1, 2, 15, 16};

/// Checks that tiles [Parts][16][32] hold the parts of value(row, element), an f32; or 0 where it is empty.
template <std::size_t Parts, class Value>
void check_tiles(const transept::bf16* tiles, Value&& value) {
  for (std::size_t i = 0; i < 16; ++i) {
    for (std::size_t j = 0; j < 32; ++j) {
      float rest = value(i, j);
      for (std::size_t part = 0; part < Parts; ++part) {
        const auto rounded = transept::to_bf16(rest);
        REQUIRE(tiles[part * 512 + i * 32 + j].bits == rounded.bits);
        rest -= transept::to_float(rounded);
      }
    }
  }
}

template <std::size_t Parts, class T>
void check_packing() {
  transept::buffer<transept::bf16> tiles(Parts * 512);
  for (const std::size_t across : tile_sizes) { // rows of x, or outputs
    for (const std::size_t inputs : {1u, 2u, 15u, 16u, 17u, 31u, 32u}) {
      const std::size_t stride = 40;
      // Exactly as much memory as may be read.
      const auto by_inputs = random_weights<T>((inputs - 1) * stride + across, 1);
      const auto by_outputs = random_weights<T>((across - 1) * stride + inputs, 2);
      CAPTURE(across, inputs);
      const auto exists = [&](std::size_t o, std::size_t k) { return o < across && k < inputs; };

      amx::pack_rows<Parts>(by_outputs.data(), stride, across, inputs, tiles.data());
      check_tiles<Parts>(tiles.data(), [&](std::size_t r, std::size_t k) {
        return exists(r, k) ? transept::to_float(by_outputs[r * stride + k]) : 0.0f;
      });
      // Weights: [pair][output][2].
      amx::pack_outputs<Parts>(by_outputs.data(), stride, inputs, across, tiles.data());
      check_tiles<Parts>(tiles.data(), [&](std::size_t pair, std::size_t j) {
        const std::size_t k = 2 * pair + j % 2, o = j / 2;
        return exists(o, k) ? transept::to_float(by_outputs[o * stride + k]) : 0.0f;
      });
      amx::pack_inputs<Parts>(by_inputs.data(), stride, inputs, across, tiles.data());
      check_tiles<Parts>(tiles.data(), [&](std::size_t pair, std::size_t j) {
        const std::size_t k = 2 * pair + j % 2, o = j / 2;
        return exists(o, k) ? transept::to_float(by_inputs[k * stride + o]) : 0.0f;
      });
    }
  }
}

struct sizes {
  std::size_t rows, inner, outputs;
};

/// Checks y = x · w to the last roundings of its sums: with bf16 weights against x rounded to bf16, with
/// others in three products, against what they may leave out.
template <class T>
void check_product(bool transposed, const sizes& of) {
  constexpr bool three_products = !std::is_same_v<T, transept::bf16>;
  const auto [rows, inner, outputs] = of;
  const auto x = random_values(rows * inner, 3);
  const auto w = random_weights<T>(inner * outputs, 4);
  std::vector<float> y(rows * outputs), rounded;
  for (const float value : x)
    rounded.push_back(three_products ? value : transept::to_float(transept::to_bf16(value)));
  machine on(2);
  on.context.precision = transept::f32_precision::bf16x3;
  if (transposed)
    kernels::matmul_transposed(on.context, {x.data(), rows, inner}, {w.data(), type_of<T>, outputs, inner},
                               y.data(), {});
  else
    kernels::matmul(on.context, {x.data(), rows, inner}, {w.data(), type_of<T>, inner, outputs}, y.data(),
                    {});
  const transept::array_shape<2> w_shape{transposed ? outputs : inner, transposed ? inner : outputs};
  const reference::vector zeros(xt::zeros<double>({outputs}));
  const auto twin = transposed ? reference::linear_transposed : reference::linear;
  const auto expected =
      twin(reference::array_of<2>(rounded, {rows, inner}), reference::array_of<2>(w, w_shape), zeros);
  reference::matrix allowed = twin(magnitudes<2>(rounded, {rows, inner}), magnitudes<2>(w, w_shape), zeros);
  const double left_out = three_products ? 3 * 0x1p-16 : 0;
  for (double& bound : allowed) bound *= left_out + unit * (4 + 2 * std::sqrt(static_cast<double>(inner)));
  CAPTURE(transposed, rows, inner, outputs);
  CHECK(worst_excess(y, expected, allowed, rows * outputs) <= 1);
}

} // namespace

TEST_CASE("operands are packed into tiles element for element, in one part or two") {
  if (no_amx()) return;
  check_packing<1, transept::bf16>();
  check_packing<1, float>();
  check_packing<2, float>();
  check_packing<2, transept::f16>();
}

TEMPLATE_TEST_CASE("products on AMX are exact but for what bf16 rounds away and f32 sums", "", transept::bf16,
                   transept::f16, float) {
  if (no_amx()) return;
  const bool transposed = GENERATE(false, true);
  for (const std::size_t rows : {16u, 17u, 32u, 33u, 65u})
    for (const std::size_t inner : {1u, 31u, 32u, 33u, 100u})
      for (const std::size_t outputs : {1u, 16u, 17u, 33u, 100u})
        check_product<TestType>(transposed, {rows, inner, outputs});
  check_product<TestType>(transposed, {17, 8200, 70}); // more outputs than are packed at once
}

TEST_CASE("products on AMX take no more scratch memory than they say") {
  if (no_amx()) return;
  const int threads = GENERATE(1, 3);
  for (const auto& [rows, inner, outputs] : {sizes{16, 40, 300}, sizes{50, 3072, 768}}) {
    const auto x = random_values(rows * inner, 5);
    const auto w = random_weights<float>(inner * outputs, 6);
    std::vector<float> y(rows * outputs);
    transept::thread_pool pool(threads);
    transept::workspace memory(
        kernels::matmul_amx_scratch_bytes(rows, inner, static_cast<std::size_t>(threads)));
    const std::size_t before = memory.capacity();
    transept::compute_context context{pool, memory, transept::f32_precision::bf16x3};
    kernels::matmul(context, {x.data(), rows, inner}, {w.data(), element_type::f32, inner, outputs}, y.data(),
                    {});
    CHECK(memory.capacity() == before);
  }
}

#endif
