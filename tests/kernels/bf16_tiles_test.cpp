// Tiles of bf16: which unit multiplies them, how operands are packed, and the products against their twins.
// What the build or the machine lacks is skipped, and says so.
#include "kernel_support.hpp"

#include <reference/linear.hpp>

#include <transept/kernels/matmul.hpp>
#include <transept/tensor/buffer.hpp>

#include <support/catch.hpp>

#include <fstream>
#include <iostream>
#include <sstream>

using namespace kernel_tests;
namespace kernels = transept::kernels;
namespace amx = transept::kernels::amx;

namespace {

/// Whether Linux tells so of its processors.
[[maybe_unused]] bool processor_shows(const char* what) {
  std::stringstream cpuinfo;
  cpuinfo << std::ifstream("/proc/cpuinfo").rdbuf();
  return cpuinfo.str().find(what) != std::string::npos;
}

} // namespace

TEST_CASE("AMX is used just where the build allows it and Linux shows it") {
#if TRANSEPT_HAS_AMX
  bool shown = true;
  for (const char* flag : {" amx_tile", " amx_bf16", " amx_int8"}) shown = shown && processor_shows(flag);
  CHECK(amx::available() == shown);
#else
  CHECK(!amx::available());
#endif
}

TEST_CASE("tiles of bf16 are multiplied where there is a unit for them, from a whole tile of rows on") {
  const bool on_amx = amx::available();
  const kernels::bf16_unit fastest = kernels::fastest_bf16_unit();
  CHECK((fastest == kernels::bf16_unit::amx) == on_amx);
#if TRANSEPT_HAS_BF16_DOT
  if (!on_amx)
    CHECK((fastest == kernels::bf16_unit::dot_products) ==
          (processor_shows("AuthenticAMD") && processor_shows(" avx512_bf16")));
#else
  CHECK(fastest == kernels::bf16_unit::none);
#endif
  const std::size_t rows = kernels::tiled_rows;
  CHECK(kernels::runs_in_tiles(element_type::bf16, rows) == (fastest != kernels::bf16_unit::none));
  CHECK(!kernels::runs_in_tiles(element_type::bf16, rows - 1));
  CHECK(!kernels::runs_in_tiles(element_type::f32, rows));
  CHECK(kernels::runs_in_tiles(element_type::f32, rows, transept::f32_precision::bf16x3) == on_amx);
}

#if TRANSEPT_HAS_BF16_DOT

namespace tiles = transept::kernels::tiles;

namespace {

bool lacks_dot_products() {
  const bool shown = processor_shows(" avx512_bf16");
  if (!shown) std::cout << "SKIPPED: needs AVX-512's bf16 instructions, which this machine lacks\n";
  return !shown;
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

      tiles::pack_rows<Parts>(by_outputs.data(), stride, across, inputs, tiles.data());
      check_tiles<Parts>(tiles.data(), [&](std::size_t r, std::size_t k) {
        return exists(r, k) ? transept::to_float(by_outputs[r * stride + k]) : 0.0f;
      });
      // Weights: [pair][output][2].
      tiles::pack_outputs<Parts>(by_outputs.data(), stride, inputs, across, tiles.data());
      check_tiles<Parts>(tiles.data(), [&](std::size_t pair, std::size_t j) {
        const std::size_t k = 2 * pair + j % 2, o = j / 2;
        return exists(o, k) ? transept::to_float(by_outputs[o * stride + k]) : 0.0f;
      });
      tiles::pack_inputs<Parts>(by_inputs.data(), stride, inputs, across, tiles.data());
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

/// Checks y = x · w, as `compute` makes it of a context, x, w and y, to the last roundings of its sums: with
/// bf16 weights against x rounded to bf16, with others in three products, against what they may leave out.
template <class T, class Compute>
void check_product(bool transposed, const sizes& of, Compute&& compute) {
  constexpr bool three_products = !std::is_same_v<T, transept::bf16>;
  const auto [rows, inner, outputs] = of;
  const auto x = random_values(rows * inner, 3);
  const auto w = random_weights<T>(inner * outputs, 4);
  std::vector<float> y(rows * outputs), rounded;
  for (const float value : x)
    rounded.push_back(three_products ? value : transept::to_float(transept::to_bf16(value)));
  machine on(2);
  on.context.precision = transept::f32_precision::bf16x3;
  const kernels::stored_matrix stored{w.data(), type_of<T>, transposed ? outputs : inner,
                                      transposed ? inner : outputs};
  compute(on.context, kernels::rows_of_floats{x.data(), rows, inner},
          transposed ? kernels::transposed(stored) : stored, y.data());
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
  if (lacks_dot_products()) return;
  check_packing<1, transept::bf16>();
  check_packing<1, float>();
  check_packing<2, float>();
  check_packing<2, transept::f16>();
}

/// check_product for sizes that fill tiles and that do not.
template <class T, class Compute>
void check_products(Compute&& compute) {
  const bool transposed = GENERATE(false, true);
  for (const std::size_t rows : {16u, 17u, 32u, 33u, 65u})
    for (const std::size_t inner : {1u, 31u, 32u, 33u, 100u})
      for (const std::size_t outputs : {1u, 16u, 17u, 33u, 100u})
        check_product<T>(transposed, {rows, inner, outputs}, compute);
  check_product<T>(transposed, {17, 8200, 70}, compute); // more outputs than are packed at once
}

TEMPLATE_TEST_CASE("products of tiles are exact but for what bf16 rounds away and f32 sums", "",
                   transept::bf16, transept::f16, float) {
  if (!kernels::runs_in_tiles(type_of<TestType>, kernels::tiled_rows, transept::f32_precision::bf16x3)) {
    std::cout << "SKIPPED: this machine has no unit for these products\n";
    return;
  }
  check_products<TestType>([](transept::compute_context& context, kernels::rows_of_floats x,
                              kernels::stored_matrix w, float* y) { kernels::matmul(context, x, w, y, {}); });
}

TEST_CASE("AVX-512's dot products of pairs are as exact, wherever they are faster or not") {
  if (lacks_dot_products()) return;
  check_products<transept::bf16>(
      [](transept::compute_context& context, kernels::rows_of_floats x, kernels::stored_matrix w, float* y) {
        const std::size_t stride = w.layout == transept::matrix_layout::transposed ? x.cols : w.cols;
        tiles::multiply_on<tiles::dot_products, 1>(
            context, {x.rows, x.cols, w.cols}, {x.data, x.cols},
            tiles::weights<transept::bf16>{static_cast<const transept::bf16*>(w.data), stride, w.layout}, y,
            w.cols, {});
      });
}

TEST_CASE("products of tiles take no more scratch memory than they say") {
  if (kernels::fastest_bf16_unit() == kernels::bf16_unit::none) {
    std::cout << "SKIPPED: this machine has no unit for products of tiles\n";
    return;
  }
  const int threads = GENERATE(1, 3);
  for (const auto& [rows, inner, outputs] : {sizes{16, 40, 300}, sizes{50, 3072, 768}}) {
    const auto x = random_values(rows * inner, 5);
    const auto w = random_weights<float>(inner * outputs, 6);
    const auto narrow = random_weights<transept::bf16>(inner * outputs, 6);
    std::vector<float> y(rows * outputs);
    transept::thread_pool pool(threads);
    transept::workspace memory(
        kernels::matmul_tiles_scratch_bytes(rows, inner, static_cast<std::size_t>(threads)));
    const std::size_t before = memory.capacity();
    transept::compute_context context{pool, memory, transept::f32_precision::bf16x3};
    kernels::matmul(context, {x.data(), rows, inner}, {narrow.data(), element_type::bf16, inner, outputs},
                    y.data(), {});
    if (amx::available())
      kernels::matmul(context, {x.data(), rows, inner}, {w.data(), element_type::f32, inner, outputs},
                      y.data(), {});
    CHECK(memory.capacity() == before);
  }
}

#endif
