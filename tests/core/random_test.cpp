#include <transept/core/random.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include <support/catch.hpp>

using namespace transept;

namespace {

/// Σ (found - expected)² / expected over equally likely cells.
double chi_squared(const std::vector<int>& counts, double draws) {
  const double expected = draws / static_cast<double>(counts.size());
  double sum = 0;
  for (const int count : counts) sum += (count - expected) * (count - expected) / expected;
  return sum;
}

} // namespace

TEST_CASE("Philox gives the answers of its authors' test vectors") {
  // Random123's kat_vectors, philox 4x32 10.
  CHECK(philox4x32_10({0, 0, 0, 0}, {0, 0}) ==
        philox_counter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox4x32_10({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}) ==
        philox_counter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox4x32_10({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        philox_counter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("a random stream gives known numbers, at compile time too") {
  constexpr auto first = [] {
    random_stream stream(0);
    return std::array{stream.next(), stream.next()};
  }();
  STATIC_REQUIRE(first == std::array<std::uint64_t, 2>{0xe169c58d6627e8d5, 0x9b00dbd8bc57ac4c});
  CHECK(random_block(0x299f31d0a4093822, 0x0370734413198a2e, 0x85a308d3243f6a88) ==
        std::array<std::uint64_t, 2>{0x94fdccebd16cfe09, 0x24126ea15001e420});
}

TEST_CASE("discard reaches the same draws as drawing does") {
  random_stream one_by_one(7, 3);
  std::vector<std::uint64_t> draws(50);
  std::ranges::generate(draws, one_by_one);
  for (std::size_t skip = 0; skip < draws.size(); ++skip) {
    random_stream jumper(7, 3);
    jumper.discard(skip);
    REQUIRE(jumper.next() == draws[skip]);
    if (skip + 1 < draws.size()) REQUIRE(jumper.next() == draws[skip + 1]);
  }
  random_stream mixed(7, 3);
  mixed.next();
  mixed.discard(4);
  CHECK(mixed.next() == draws[5]);
}

TEST_CASE("seeds and streams differ from one another") {
  const auto differing_bits = [](random_stream a, random_stream b) {
    int bits = 0;
    for (int i = 0; i < 64; ++i) bits += std::popcount(a.next() ^ b.next());
    return bits; // of 4096: 2048 ± 32 where the two are independent
  };
  for (std::uint64_t i = 0; i < 20; ++i) {
    CHECK(std::abs(differing_bits(random_stream(i), random_stream(i + 1)) - 2048) < 160);
    CHECK(std::abs(differing_bits(random_stream(5, i), random_stream(5, i + 1)) - 2048) < 160);
    CHECK(std::abs(differing_bits(random_stream(i, 1), random_stream(1, i)) - (i == 1 ? 0 : 2048)) < 160);
  }
}

TEST_CASE("uniform numbers lie in [0, 1) and fill it evenly") {
  random_stream stream(1234);
  std::vector<int> cells(1024), low_bits(256);
  const int draws = 1 << 18;
  for (int i = 0; i < draws; ++i) {
    const float value = stream.uniform();
    REQUIRE((value >= 0.0f && value < 1.0f));
    ++cells[static_cast<std::size_t>(value * 1024.0f)];
    const double fine = stream.uniform_double();
    REQUIRE((fine >= 0.0 && fine < 1.0));
    ++low_bits[static_cast<std::size_t>(std::ldexp(fine, 53)) & 255u];
  }
  // mean ± 5 standard deviations of the distribution: 1023 ± 45, 255 ± 23
  CHECK(chi_squared(cells, draws) == Approx(1023).margin(5 * 45.2));
  CHECK(chi_squared(low_bits, draws) == Approx(255).margin(5 * 22.6));
}

TEST_CASE("the inverse normal distribution agrees with known values and inverts erfc") {
  CHECK(inverse_normal(0.5) == 0.0);
  const auto near = [](double value) { return Approx(value).epsilon(1e-14).margin(0); };
  CHECK(inverse_normal(0.3) == near(-0.5244005127080409));
  CHECK(inverse_normal(0.975) == near(1.9599639845400536));
  CHECK(inverse_normal(0.01) == near(-2.3263478740408408));
  CHECK(inverse_normal(1e-5) == near(-4.264890793922825));
  CHECK(inverse_normal(1e-12) == near(-7.034483825301131));
  for (double u = 1e-300; u < 0.999; u = u < 1e-3 ? u * 7 : u + 0.0007)
    REQUIRE(0.5 * std::erfc(-inverse_normal(u) * std::sqrt(0.5)) == Approx(u).epsilon(1e-12).margin(0));
}

TEST_CASE("normals have the moments and the distribution they should") {
  const std::size_t draws = 1 << 18;
  std::vector<float> values(draws);
  fill_normal(values, 42, 1);
  double sum = 0, squares = 0, fourths = 0;
  for (const float value : values) {
    const double x = value;
    sum += x;
    squares += x * x;
    fourths += x * x * x * x;
  }
  const double n = static_cast<double>(draws);
  CHECK(sum / n == Approx(0).margin(5 / std::sqrt(n)));
  CHECK(squares / n == Approx(1).margin(5 * std::sqrt(2 / n)));
  CHECK(fourths / n == Approx(3).margin(5 * std::sqrt(96 / n)));

  // Kolmogorov and Smirnov: √n times the greatest distance of the distributions is below 1.95 in 999 of 1000.
  std::ranges::sort(values);
  double distance = 0;
  for (std::size_t i = 0; i < draws; ++i) {
    const double u = 0.5 * std::erfc(-static_cast<double>(values[i]) * std::sqrt(0.5));
    distance = std::max(
        {distance, std::abs(u - static_cast<double>(i) / n), std::abs(u - static_cast<double>(i + 1) / n)});
  }
  CHECK(distance * std::sqrt(n) < 1.95);
}

TEST_CASE("normals filled in pieces are the bits of normals filled at once") {
  std::vector<float> whole(1000), pieces(1000);
  fill_normal(whole, 9, 2, 5);
  for (std::size_t first = 0, length = 1; first < pieces.size(); first += length, length = length * 3 % 101)
    fill_normal(std::span(pieces).subspan(first, std::min(length, pieces.size() - first)), 9, 2, 5 + first);
  CHECK(pieces == whole);

  random_stream stream(9, 2);
  stream.discard(5);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    const float drawn = stream.normal();
    REQUIRE(drawn == normal_at(9, 2, 5 + i));
    REQUIRE(drawn == Approx(whole[i]).epsilon(3e-7).margin(0)); // another inlining may round the last bit
  }
}
