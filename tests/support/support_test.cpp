#include <support/compare.hpp>

#include <support/catch.hpp>

#include <limits>
#include <vector>

using support::compare;

TEST_CASE("differences are measured against the largest expected value") {
  const std::vector<float> expected{1, -4, 0};
  CHECK(compare(std::vector<float>{1, -4, 0}, expected).relative == 0);
  const support::comparison found = compare(std::vector<float>{1, -4, 1}, expected);
  CHECK(found.relative == 0.25);
  CHECK(found.index == 2);
  CHECK(found > 0.2);
  CHECK(found <= 0.25);
}

TEST_CASE("NaN, infinities and other sizes are differences without bound") {
  const float infinity = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> expected{1, -infinity};
  CHECK(compare(expected, expected).relative == 0);
  CHECK(compare(std::vector<float>{1, infinity}, expected) > 1e9);
  CHECK(compare(std::vector<float>{nan, -infinity}, expected) > 1e9);
  CHECK(compare(std::vector<float>{1, 0}, expected) > 1e9);
  CHECK(compare(std::vector<float>{1}, expected) > 1e9);
  CHECK(compare(std::vector<float>{nan}, std::vector<double>{nan}).relative == 0);
}
