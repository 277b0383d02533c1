#include <support/catch.hpp>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include <transept/simd/math.hpp>

namespace simd = transept::simd;
using transept::bf16;
using transept::f16;

namespace {

bool same_number(float a, float b) {
  return (std::isnan(a) && std::isnan(b)) ||
         std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
}

template <class T>
int widening_mistakes() {
  int mistakes = 0;
  for (std::uint32_t first = 0; first < 65536; first += simd::width) {
    T stored[simd::width];
    float widened[simd::width];
    for (std::uint32_t i = 0; i < simd::width; ++i) stored[i].bits = static_cast<std::uint16_t>(first + i);
    simd::store(widened, simd::load(stored));
    for (std::size_t i = 0; i < simd::width; ++i) mistakes += !same_number(widened[i], to_float(stored[i]));
  }
  return mistakes;
}

} // namespace

TEST_CASE("every f16 and every bf16 widens in a batch as it does alone") {
  CHECK(widening_mistakes<f16>() == 0);
  CHECK(widening_mistakes<bf16>() == 0);
}

TEST_CASE("f16 and bf16 survive the way to f32 and back") {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const f16 half{static_cast<std::uint16_t>(bits)};
    const bf16 brain{static_cast<std::uint16_t>(bits)};
    if (!std::isnan(to_float(half))) REQUIRE(transept::to_f16(to_float(half)).bits == half.bits);
    if (!std::isnan(to_float(brain))) REQUIRE(transept::to_bf16(to_float(brain)).bits == brain.bits);
  }
  CHECK(std::isnan(to_float(transept::to_f16(NAN))));
  CHECK(std::isnan(to_float(transept::to_bf16(NAN))));
}

TEST_CASE("narrowing rounds to nearest, ties to even, and overflows to infinity") {
  CHECK(transept::to_f16(65519.0f).bits == 0x7bff); // the greatest finite
  CHECK(transept::to_f16(65520.0f).bits == 0x7c00); // half a step above it
  CHECK(transept::to_f16(-1e9f).bits == 0xfc00);
  CHECK(transept::to_f16(0x1p-24f).bits == 0x0001);   // the least subnormal
  CHECK(transept::to_f16(0x1p-25f).bits == 0x0000);   // a tie with zero
  CHECK(transept::to_f16(0x1.8p-25f).bits == 0x0001); // above the tie
  CHECK(transept::to_f16(1.0f + 0x1p-11f).bits == 0x3c00);
  CHECK(transept::to_f16(1.0f + 3 * 0x1p-11f).bits == 0x3c02);
  CHECK(transept::to_bf16(1.0f + 0x1p-8f).bits == 0x3f80);
  CHECK(transept::to_bf16(1.0f + 3 * 0x1p-8f).bits == 0x3f82);
  CHECK(transept::to_bf16(3.4e38f).bits == 0x7f80);
}

TEST_CASE("a batch rounds to f16 as to_f16 does, subnormals, ties and overflow included") {
  int mistakes = 0;
  for (std::uint32_t half = 0; half < 0x7c00; ++half) {
    const float below = to_float(f16{static_cast<std::uint16_t>(half)});
    const float above = to_float(f16{static_cast<std::uint16_t>(half + 1)});
    const float middle = std::isinf(above) ? 65520.0f : below + (above - below) / 2;
    for (const float value : {below, std::nextafter(middle, 0.0f), middle, std::nextafter(middle, 1e9f)}) {
      for (const float x : {value, -value}) {
        float lanes[simd::width];
        simd::store(lanes, simd::nearest_f16(simd::broadcast(x)));
        mistakes += !same_number(lanes[0], to_float(transept::to_f16(x)));
      }
    }
  }
  CHECK(mistakes == 0);
}

TEST_CASE("a batch rounds to bf16 as to_bf16 does, ties, subnormals, overflow and NaN included") {
  int mistakes = 0;
  for (std::uint32_t high = 0; high <= 0xffff; ++high) {
    for (const std::uint32_t low : {0x0000u, 0x0001u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu}) {
      const float x = std::bit_cast<float>(high << 16 | low);
      float lanes[simd::width];
      simd::store(lanes, simd::nearest_bf16(simd::broadcast(x)));
      mistakes += !same_number(lanes[0], to_float(transept::to_bf16(x)));
    }
  }
  CHECK(mistakes == 0);
}

TEST_CASE("nearest_product rounds a product to the nearest integer, ties to even") {
  for (const float x : {0.0f, 0.49f, 0.5f, 1.5f, 2.5f, 126.7f, 4e6f}) {
    for (const float a : {x, -x}) {
      std::int32_t lanes[simd::width];
      simd::store_bits(lanes, simd::nearest_product(simd::broadcast(2 * a), simd::broadcast(0.5f)));
      CHECK(lanes[0] == static_cast<std::int32_t>(std::nearbyint(a)));
    }
  }
}

TEST_CASE("a partial load pads with zeros and reads nothing behind the end") {
  for (std::size_t count = 1; count < simd::width; ++count) {
    const std::vector<float> values(count, 3.0f); // exactly as long: AddressSanitizer watches
    float lanes[simd::width];
    simd::store(lanes, simd::load_partial(values.data(), count));
    for (std::size_t i = 0; i < simd::width; ++i) CHECK(lanes[i] == (i < count ? 3.0f : 0.0f));
    std::vector<float> out(count);
    simd::store_partial(out.data(), simd::broadcast(2.0f), count);
    for (float each : out) CHECK(each == 2.0f);
  }
}

TEST_CASE("lanes are exchanged pair by pair") {
  float lanes[simd::width];
  for (std::size_t i = 0; i < simd::width; ++i) lanes[i] = static_cast<float>(i);
  simd::store(lanes, simd::swap_pairs(simd::load(lanes)));
  for (std::size_t i = 0; i < simd::width; ++i) CHECK(lanes[i] == static_cast<float>(i ^ 1));
}

TEST_CASE("sum and greatest see every lane") {
  float lanes[simd::width];
  for (std::size_t at = 0; at < simd::width; ++at) {
    for (std::size_t i = 0; i < simd::width; ++i) lanes[i] = i == at ? 5.0f : -1.0f;
    CHECK(simd::greatest(simd::load(lanes)) == 5.0f);
    CHECK(simd::sum(simd::load(lanes)) == 5.0f - static_cast<float>(simd::width - 1));
  }
}

namespace {

/// The worst error of `function` over floats in [least, most] all over the exponents, in units in the last
/// place of the exact result.
template <class Function, class Exact>
double worst_error(Function function, Exact exact, float least, float most) {
  constexpr std::uint64_t step = 4099;
  double worst = 0;
  for (std::uint64_t bits = 0; bits < std::uint64_t{1} << 32; bits += step) {
    const auto x = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
    if (!(x >= least && x <= most)) continue;
    const double expected = exact(static_cast<double>(x));
    const float nearest = std::fabs(static_cast<float>(expected));
    if (nearest < std::numeric_limits<float>::min()) continue;
    const double unit = static_cast<double>(std::nextafter(nearest, INFINITY)) - static_cast<double>(nearest);
    float lanes[simd::width];
    simd::store(lanes, function(simd::broadcast(x)));
    const double error = std::fabs(static_cast<double>(lanes[0]) - expected) / unit;
    if (!(error <= worst)) worst = error;
  }
  return worst;
}

} // namespace

TEST_CASE(
    "exp, tanh and erf err by no more units in the last place than they say, and are right at the ends") {
  const auto at = [](auto function, float x) {
    float lanes[simd::width];
    simd::store(lanes, function(simd::broadcast(x)));
    return lanes[0];
  };
  const auto exponential = [](simd::batch x) { return simd::exp(x); };
  const auto hyperbolic = [](simd::batch x) { return simd::tanh(x); };
  const auto error = [](simd::batch x) { return simd::erf(x); };
  CHECK(worst_error(
            exponential, [](double x) { return std::exp(x); }, -87, 88) <= 2);
  CHECK(worst_error(
            hyperbolic, [](double x) { return std::tanh(x); }, -100, 100) <= 2);
  CHECK(worst_error(
            error, [](double x) { return std::erf(x); }, -100, 100) <= 3);
  CHECK(at(exponential, -INFINITY) == 0.0f);
  CHECK(at(exponential, -105.0f) == 0.0f);
  CHECK(at(exponential, -200.0f) == 0.0f);
  CHECK(at(exponential, 90.0f) == INFINITY);
  CHECK(at(exponential, 0.0f) == 1.0f);
  CHECK(std::isnan(at(exponential, NAN)));
  CHECK(at(hyperbolic, 100.0f) == 1.0f);
  CHECK(at(error, -100.0f) == -1.0f);
}
