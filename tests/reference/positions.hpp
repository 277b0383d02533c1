// Twins of positions that are added: sinusoids (Vaswani et al. 2017), slopes of linear biases (Press et al.
// 2022), buckets of distances (Raffel et al. 2020).
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

#include "arrays.hpp"

namespace reference {

/// PE(position, 2i) = sin(position / 10000^(2i / width)), PE(position, 2i + 1) = cos of the same.
inline matrix sinusoids(std::size_t positions, std::size_t width) {
  matrix table = xt::zeros<double>({positions, width});
  for (std::size_t p = 0; p < positions; ++p)
    for (std::size_t column = 0; column < width; ++column) {
      const auto even = static_cast<double>(column - column % 2);
      const double angle = static_cast<double>(p) / std::pow(10000.0, even / static_cast<double>(width));
      table(p, column) = column % 2 == 0 ? std::sin(angle) : std::cos(angle);
    }
  return table;
}

/// The paper's get_slopes: for a power of two, a geometric sequence that begins at its own ratio; else that
/// of the power below, and every other number of the next power's.
inline std::vector<double> alibi_slopes(std::size_t heads) {
  std::size_t power = 1;
  while (2 * power <= heads) power *= 2;
  std::vector<double> slopes;
  if (power == heads) {
    const double ratio = std::pow(2, -std::pow(2, -(std::log2(static_cast<double>(heads)) - 3)));
    for (std::size_t i = 0; i < heads; ++i) slopes.push_back(std::pow(ratio, static_cast<double>(i + 1)));
    return slopes;
  }
  slopes = alibi_slopes(power);
  const auto others = alibi_slopes(2 * power);
  for (std::size_t i = 0; slopes.size() < heads; i += 2) slopes.push_back(others[i]);
  return slopes;
}

/// T5's bucket: single distances, then stretches that grow by one factor, the first of those at `exact` and
/// the end of the last at `most`.
inline std::size_t relative_bucket(std::ptrdiff_t distance, bool bidirectional, std::size_t buckets,
                                   std::size_t most) {
  if (bidirectional && distance > 0) return buckets / 2 + relative_bucket(-distance, true, buckets, most);
  const std::size_t count = bidirectional ? buckets / 2 : buckets, exact = count / 2;
  const auto n = distance < 0 ? static_cast<std::size_t>(-distance) : 0;
  if (n < exact) return n;
  const double growth = static_cast<double>(most) / static_cast<double>(exact);
  std::size_t bucket = exact;
  const auto begin_of = [&](std::size_t b) {
    return static_cast<double>(exact) *
           std::pow(growth, static_cast<double>(b - exact) / static_cast<double>(count - exact));
  };
  while (bucket + 1 < count && begin_of(bucket + 1) <= static_cast<double>(n) * (1 + 1e-9)) ++bucket;
  return bucket;
}

} // namespace reference
