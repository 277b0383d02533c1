// Random numbers that are the same in every build and on every machine.
//
// The generator is Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as
// 1, 2, 3" (SC 2011): a counter goes in, random bits come out. So draw number i of a stream is a pure
// function of (seed, stream, i), any draw can be reached at once, and an initialiser may fill one tensor
// from many threads and get the same bits as from one.
//
// Integers and uniforms are exact everywhere. Normals go through the inverse normal distribution of
// Wichura (AS 241, Applied Statistics 37, 1988) in double, and are equal up to the rounding of the last bit.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include <transept/core/version.hpp>

namespace transept::inline TRANSEPT_ABI {

using philox_counter = std::array<std::uint32_t, 4>; ///< what goes into Philox, and what comes out
using philox_key = std::array<std::uint32_t, 2>;     ///< which of its functions: the seed

/// 128 random bits for one value of the counter: ten rounds of two 32 × 32 → 64 bit products.
TRANSEPT_ALWAYS_INLINE constexpr philox_counter philox4x32_10(philox_counter counter, philox_key key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product_0 = std::uint64_t{0xD2511F53u} * counter[0];
    const std::uint64_t product_2 = std::uint64_t{0xCD9E8D57u} * counter[2];
    counter = {static_cast<std::uint32_t>(product_2 >> 32) ^ counter[1] ^ key[0],
               static_cast<std::uint32_t>(product_2),
               static_cast<std::uint32_t>(product_0 >> 32) ^ counter[3] ^ key[1],
               static_cast<std::uint32_t>(product_0)};
    key[0] += 0x9E3779B9u; // the golden ratio
    key[1] += 0xBB67AE85u; // √3 - 1
  }
  return counter;
}

/// Draws 2·block and 2·block + 1 of a stream.
TRANSEPT_ALWAYS_INLINE constexpr std::array<std::uint64_t, 2> random_block(std::uint64_t seed,
                                                                           std::uint64_t stream,
                                                                           std::uint64_t block) {
  const auto low = [](std::uint64_t bits) { return static_cast<std::uint32_t>(bits); };
  const auto high = [](std::uint64_t bits) { return static_cast<std::uint32_t>(bits >> 32); };
  const philox_counter bits =
      philox4x32_10({low(block), high(block), low(stream), high(stream)}, {low(seed), high(seed)});
  return {std::uint64_t{bits[1]} << 32 | bits[0], std::uint64_t{bits[3]} << 32 | bits[2]};
}

namespace detail {

constexpr double polynomial(const std::array<double, 8>& coefficients, double x) {
  double sum = coefficients[7];
  for (std::size_t i = 7; i-- > 0;) sum = sum * x + coefficients[i];
  return sum;
}

/// Wichura's approximation for |offset| <= 0.425, where offset = u - 0.5.
constexpr double inverse_normal_middle(double offset) {
  constexpr std::array<double, 8> middle_above = {
      3.3871328727963666080e+0, 1.3314166789178437745e+2, 1.9715909503065514427e+3, 1.3731693765509461125e+4,
      4.5921953931549871457e+4, 6.7265770927008700853e+4, 3.3430575583588128105e+4, 2.5090809287301226727e+3};
  constexpr std::array<double, 8> middle_below = {1.0,
                                                  4.2313330701600911252e+1,
                                                  6.8718700749205790830e+2,
                                                  5.3941960214247511077e+3,
                                                  2.1213794301586595867e+4,
                                                  3.9307895800092710610e+4,
                                                  2.8729085735721942674e+4,
                                                  5.2264952788528545610e+3};
  const double r = 0.180625 - offset * offset;
  return offset * polynomial(middle_above, r) / polynomial(middle_below, r);
}

/// His approximations for the rest, in √(-ln u).
inline double inverse_normal_tail(double u) {
  constexpr std::array<double, 8> tail_above = {1.42343711074968357734e+0, 4.63033784615654529590e+0,
                                                5.76949722146069140550e+0, 3.64784832476320460504e+0,
                                                1.27045825245236838258e+0, 2.41780725177450611770e-1,
                                                2.27238449892691845833e-2, 7.74545014278341407640e-4};
  constexpr std::array<double, 8> tail_below = {1.0,
                                                2.05319162663775882187e+0,
                                                1.67638483018380384940e+0,
                                                6.89767334985100004550e-1,
                                                1.48103976427480074590e-1,
                                                1.51986665636164571966e-2,
                                                5.47593808499534494600e-4,
                                                1.05075007164441684324e-9};
  constexpr std::array<double, 8> far_above = {6.65790464350110377720e+0, 5.46378491116411436990e+0,
                                               1.78482653991729133580e+0, 2.96560571828504891230e-1,
                                               2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                               2.71155556874348757815e-5, 2.01033439929228813265e-7};
  constexpr std::array<double, 8> far_below = {1.0,
                                               5.99832206555887937690e-1,
                                               1.36929880922735805310e-1,
                                               1.48753612908506148525e-2,
                                               7.86869131145613259100e-4,
                                               1.84631831751005468180e-5,
                                               1.42151175831644588870e-7,
                                               2.04426310338993978564e-15};
  const double r = std::sqrt(-std::log(u < 0.5 ? u : 1.0 - u));
  const double size = r <= 5.0 ? polynomial(tail_above, r - 1.6) / polynomial(tail_below, r - 1.6)
                               : polynomial(far_above, r - 5.0) / polynomial(far_below, r - 5.0);
  return u < 0.5 ? -size : size;
}

/// 52 random bits choose the middle of an interval of (0, 1): 0 and 1 never come up.
constexpr double open_uniform(std::uint64_t bits) {
  return (static_cast<double>(static_cast<std::int64_t>(bits >> 12)) + 0.5) * 0x1p-52;
}

} // namespace detail

/// x with P(standard normal <= x) = u, for 0 < u < 1, to about 1 part in 10¹⁶ (PPND16 of AS 241).
inline double inverse_normal(double u) {
  const double offset = u - 0.5;
  return std::abs(offset) <= 0.425 ? detail::inverse_normal_middle(offset) : detail::inverse_normal_tail(u);
}

/// A standard normal from 64 random bits; its size is 8.2 at most.
inline float normal_from_bits(std::uint64_t bits) {
  return static_cast<float>(inverse_normal(detail::open_uniform(bits)));
}

/// Draw number `index` of (seed, stream) as a standard normal: what random_stream's normal() returns after
/// discard(index).
inline float normal_at(std::uint64_t seed, std::uint64_t stream, std::uint64_t index) {
  return normal_from_bits(random_block(seed, stream, index / 2)[index % 2]);
}

namespace detail {

inline constexpr std::size_t normals_at_once = 64;

/// Draws first … first + 63 (first a multiple of 64) as standard normals. Written in plain loops of fixed
/// length over arrays, which compilers turn into vector code: the generator, then the middle of the
/// distribution for all, then the tails (15%) one by one.
inline void fill_normals_at_once(std::array<float, normals_at_once>& out, std::uint64_t seed,
                                 std::uint64_t stream, std::uint64_t first) {
  std::array<double, normals_at_once> uniform;
  for (std::size_t i = 0; i < normals_at_once; i += 2) {
    const auto bits = random_block(seed, stream, (first + i) / 2);
    uniform[i] = open_uniform(bits[0]);
    uniform[i + 1] = open_uniform(bits[1]);
  }
  for (std::size_t i = 0; i < normals_at_once; ++i)
    out[i] = static_cast<float>(inverse_normal_middle(uniform[i] - 0.5));
  for (std::size_t i = 0; i < normals_at_once; ++i)
    if (std::abs(uniform[i] - 0.5) > 0.425) out[i] = static_cast<float>(inverse_normal_tail(uniform[i]));
}

} // namespace detail

/// Fills `out` with draws first, first + 1, … as standard normals: normal_at in bulk. However a tensor is
/// divided among calls and threads, its numbers are the same bits.
inline void fill_normal(std::span<float> out, std::uint64_t seed, std::uint64_t stream,
                        std::uint64_t first = 0) {
  std::array<float, detail::normals_at_once> chunk;
  while (!out.empty()) {
    const std::size_t skipped = static_cast<std::size_t>(first % chunk.size());
    const std::size_t count = std::min(out.size(), chunk.size() - skipped);
    detail::fill_normals_at_once(chunk, seed, stream, first - skipped);
    std::copy_n(chunk.begin() + static_cast<std::ptrdiff_t>(skipped), count, out.begin());
    out = out.subspan(count);
    first += count;
  }
}

/// A sequence of random numbers, one of 2⁶⁴ that a seed has. Every draw, of whatever kind, moves on by one.
/// Also a standard uniform random bit generator.
class random_stream {
public:
  using result_type = std::uint64_t; ///< of operator()

  /// Stream number `stream` of the seed, at its first draw.
  constexpr explicit random_stream(std::uint64_t seed, std::uint64_t stream = 0)
      : seed_(seed), stream_(stream) {}

  /// 64 random bits.
  constexpr std::uint64_t next() {
    if (position_ % 2 == 0) {
      const auto block = random_block(seed_, stream_, position_++ / 2);
      second_half_ = block[1];
      return block[0];
    }
    ++position_;
    return second_half_;
  }

  /// In [0, 1), a multiple of 2⁻²⁴.
  constexpr float uniform() { return static_cast<float>(next() >> 40) * 0x1p-24f; }

  /// In [0, 1), a multiple of 2⁻⁵³: for choices in which very small probabilities count.
  constexpr double uniform_double() { return static_cast<double>(next() >> 11) * 0x1p-53; }

  /// Mean 0, standard deviation 1.
  float normal() { return normal_from_bits(next()); }

  /// Leaves out `count` draws, at once.
  constexpr void discard(std::uint64_t count) {
    position_ += count;
    if (position_ % 2 == 1) second_half_ = random_block(seed_, stream_, position_ / 2)[1];
  }

  /// How many draws were made or left out.
  constexpr std::uint64_t position() const { return position_; }

  constexpr std::uint64_t operator()() { return next(); } ///< next(), for the distributions of <random>
  static constexpr std::uint64_t min() { return 0; }      ///< of what operator() returns
  /// The same: all 64 bits are random.
  static constexpr std::uint64_t max() { return std::numeric_limits<std::uint64_t>::max(); }

private:
  std::uint64_t seed_;
  std::uint64_t stream_;
  std::uint64_t position_ = 0;
  std::uint64_t second_half_ = 0; // the odd draw of the current block, when position_ is odd
};

} // namespace transept::inline TRANSEPT_ABI
