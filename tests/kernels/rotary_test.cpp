// Turning heads by rotary angles, against the complex products of the twin.
#include "kernel_support.hpp"

#include <reference/rotary.hpp>

#include <transept/kernels/rotary.hpp>

#include <support/compare.hpp>

#include <support/catch.hpp>

#include <algorithm>
#include <cstring>

using namespace kernel_tests;
namespace kernels = transept::kernels;
using transept::rotary_pairing;

namespace {

struct sizes {
  kernels::head_rows where;
  std::size_t rotary_width;
};

constexpr sizes all_sizes[] = {{{1, 2, 1, 2}, 2},     {{2, 9, 2, 4}, 4},     {{3, 40, 3, 10}, 6},
                               {{2, 64, 2, 32}, 14},  {{2, 70, 2, 33}, 16},  {{3, 100, 2, 40}, 18},
                               {{2, 200, 3, 64}, 34}, {{5, 300, 2, 66}, 66}, {{33, 900, 7, 128}, 128},
                               {{2, 4, 0, 4}, 4},     {{2, 20, 4, 5}, 0}};

} // namespace

TEST_CASE("heads turn as their twin's complex numbers, and back, on any threads, and nothing beside them") {
  for (const auto pairing : {rotary_pairing::halves, rotary_pairing::interleaved})
    for (const auto& [where, rotary_width] : all_sizes) {
      const std::size_t half = rotary_width / 2;
      const auto x = random_values((where.rows - 1) * where.row_stride + where.heads * where.head_width, 1);
      const auto angles = random_values(where.rows * rotary_width, 2); // any factor, not only of length 1
      for (const bool backwards : {false, true}) {
        std::vector<double> expected(x.begin(), x.end());
        for (std::size_t r = 0; r < where.rows; ++r) {
          std::vector<std::complex<double>> factors;
          for (std::size_t i = 0; i < half; ++i) {
            const auto sine = static_cast<double>(angles[r * rotary_width + half + i]);
            factors.emplace_back(angles[r * rotary_width + i], backwards ? -sine : sine);
          }
          for (std::size_t h = 0; h < where.heads; ++h) {
            const auto first = expected.begin() + static_cast<std::ptrdiff_t>(where.offset(r, h));
            const std::vector<double> head(first, first + static_cast<std::ptrdiff_t>(where.head_width));
            std::ranges::copy(reference::rotate(head, factors, pairing), first);
          }
        }
        std::vector<float> of_one_thread;
        for (const int threads : {1, 3}) {
          machine on(threads);
          const placed<float> exact_angles(angles, 1);
          placed<float> turned(x, 1);
          kernels::rotate(on.context, where, exact_angles.data(), rotary_width, pairing, turned.data(),
                          backwards);
          CAPTURE(where.rows, where.heads, where.head_width, rotary_width, backwards, threads);
          CHECK(support::compare(turned, expected) <= 3e-7);
          if (threads == 1) of_one_thread.assign(turned.begin(), turned.end());
          CHECK(std::ranges::equal(turned, of_one_thread));
          for (std::size_t i = 0; i < x.size(); ++i) // what is not turned keeps its bits
            if (const std::size_t at = i % where.row_stride;
                at >= where.heads * where.head_width || at % where.head_width >= rotary_width)
              if (std::memcmp(&turned[i], &x[i], sizeof(float)) != 0) FAIL_CHECK("changed element " << i);
        }
      }
    }
}

TEST_CASE("both pairings compute the same bits, and a pair's are the same wherever it stands") {
  machine on;
  const std::size_t half = 33, width = 2 * half;
  const auto x = random_values(width, 1), angles = random_values(width, 2);
  std::vector<float> halves = x, interleaved(width);
  for (std::size_t i = 0; i < width; ++i) interleaved[i] = x[i % 2 * half + i / 2];
  kernels::rotate(on.context, {1, width, 1, width}, angles.data(), width, rotary_pairing::halves,
                  halves.data());
  kernels::rotate(on.context, {1, width, 1, width}, angles.data(), width, rotary_pairing::interleaved,
                  interleaved.data());
  bool same = true;
  for (std::size_t i = 0; i < half; ++i) {
    same = same && halves[i] == interleaved[2 * i] && halves[half + i] == interleaved[2 * i + 1];
    float pair[] = {x[i], x[half + i]};
    const float angle[] = {angles[i], angles[half + i]};
    kernels::rotate(on.context, {1, 2, 1, 2}, angle, 2, rotary_pairing::halves, pair);
    same = same && pair[0] == halves[i] && pair[1] == halves[half + i];
  }
  CHECK(same);
}
