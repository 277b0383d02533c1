// How far computed values are from expected ones, against the scale of the whole array: single elements near
// zero carry no more error than their neighbours, so each is not held to its own size.
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>
#include <ostream>
#include <ranges>

namespace support {

/// The largest |actual - expected| over the largest |expected|, and where it was found. Use it as
/// `CHECK(support::compare(actual, expected) <= 1e-5)`: a failing check prints all of it.
struct comparison {
  double relative = 0; ///< infinity where sizes differ, or one side alone is NaN or infinite
  std::size_t index = 0;
  double actual = 0;
  double expected = 0;
  std::size_t actual_size = 0;
  std::size_t expected_size = 0;

  friend bool operator<=(const comparison& found, double tolerance) { return found.relative <= tolerance; }
  friend bool operator>(const comparison& found, double tolerance) { return found.relative > tolerance; }

  friend std::ostream& operator<<(std::ostream& out, const comparison& found) {
    if (found.actual_size != found.expected_size)
      return out << found.actual_size << " values, not " << found.expected_size;
    return out << "difference of " << found.relative << " of the scale: element " << found.index << " is "
               << found.actual << ", not " << found.expected;
  }
};

/// Compares two contiguous ranges of numbers, of any two types. Equal infinities, and two NaN, agree; the
/// scale is the largest finite |expected|, or 1 where all are zero.
template <std::ranges::contiguous_range Actual, std::ranges::contiguous_range Expected>
comparison compare(const Actual& actual, const Expected& expected) {
  comparison found;
  found.actual_size = static_cast<std::size_t>(std::ranges::size(actual));
  found.expected_size = static_cast<std::size_t>(std::ranges::size(expected));
  if (found.actual_size != found.expected_size) {
    found.relative = std::numeric_limits<double>::infinity();
    return found;
  }
  double scale = 0;
  double largest = -1;
  for (std::size_t i = 0; i < found.expected_size; ++i) {
    const auto a = static_cast<double>(std::ranges::data(actual)[i]);
    const auto e = static_cast<double>(std::ranges::data(expected)[i]);
    if (std::isfinite(e)) scale = std::fmax(scale, std::fabs(e));
    const bool same = a == e || (std::isnan(a) && std::isnan(e));
    double difference = same ? 0 : std::fabs(a - e);
    if (std::isnan(difference)) difference = std::numeric_limits<double>::infinity();
    if (difference > largest) {
      largest = difference;
      found.index = i;
      found.actual = a;
      found.expected = e;
    }
  }
  found.relative = largest <= 0 ? 0 : largest / (scale > 0 ? scale : 1);
  return found;
}

/// max |actual - expected| / max |expected|; see `compare`.
template <std::ranges::contiguous_range Actual, std::ranges::contiguous_range Expected>
double max_relative_difference(const Actual& actual, const Expected& expected) {
  return compare(actual, expected).relative;
}

} // namespace support
