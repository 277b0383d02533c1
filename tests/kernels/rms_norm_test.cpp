// Root mean square norms of rows, and of heads within rows, against their twin, and its differences.
#include "kernel_support.hpp"

#include <reference/differences.hpp>
#include <reference/rms_norm.hpp>

#include <transept/kernels/rms_norm.hpp>

#include <support/compare.hpp>

#include <support/catch.hpp>

#include <algorithm>
#include <limits>

using namespace kernel_tests;
namespace kernels = transept::kernels;

namespace {

constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();

/// The twin's arguments for a weight of the kernel's, which may be missing.
struct factor {
  reference::vector weight;
  double offset;

  factor(const std::vector<float>* given, std::size_t cols, float weight_offset)
      : weight(given ? reference::array_of<1>(*given, {cols}) : reference::vector(xt::ones<double>({cols}))),
        offset(given ? static_cast<double>(weight_offset) : 0) {}
};

/// Heads in rows wider than they: the numbers between belong to nobody, and are NaN.
struct heads_in_rows {
  kernels::head_rows where;
  std::vector<float> spread(const std::vector<float>& heads) const {
    std::vector<float> rows((where.rows - 1) * where.row_stride + where.heads * where.head_width,
                            not_a_number);
    each([&](std::size_t at, std::size_t from) { rows[at] = heads[from]; });
    return rows;
  }
  template <class Rows>
  std::vector<float> collect(const Rows& rows) const {
    std::vector<float> heads(where.rows * where.heads * where.head_width);
    each([&](std::size_t at, std::size_t to) { heads[to] = rows[at]; });
    return heads;
  }
  template <class F>
  void each(F&& f) const {
    for (std::size_t r = 0, i = 0; r < where.rows; ++r)
      for (std::size_t h = 0; h < where.heads; ++h)
        for (std::size_t c = 0; c < where.head_width; ++c) f(where.offset(r, h) + c, i++);
  }
};

} // namespace

TEST_CASE("RMS norm agrees with its twin at odd widths, unaligned and in place, on any threads") {
  for (const int threads : {1, 2, 3}) {
    machine on(threads);
    for (const std::size_t cols : odd_sizes)
      for (const std::size_t rows : {1u, 2u, 5u, 9u}) {
        const placed<float> x(random_values(rows * cols, 10), 1);
        const auto weight = random_values(cols, 11);
        const placed<float> exact_weight(weight, 1);
        for (const float offset : {0.0f, 1.0f})
          for (const bool has_weight : {true, false}) {
            const factor by(has_weight ? &weight : nullptr, cols, offset);
            const auto expected =
                reference::rms_norm(reference::array_of<2>(x, {rows, cols}), by.weight, by.offset, 1e-5);
            placed<float> y(rows * cols, 1), in_place(x, 1);
            const float* const given = has_weight ? exact_weight.data() : nullptr;
            CAPTURE(rows, cols, offset, has_weight);
            kernels::rms_norm(on.context, {x.data(), rows, cols}, given, offset, 1e-5f, y.data());
            CHECK(support::compare(y, expected.storage()) <= 1e-6);
            kernels::rms_norm(on.context, {in_place.data(), rows, cols}, given, offset, 1e-5f,
                              in_place.data());
            CHECK(std::ranges::equal(in_place, y));
          }
      }
  }
}

TEST_CASE("RMS norm agrees with its twin on offset, tiny, huge and zero rows") {
  machine on;
  for (const std::size_t cols : {16u, 33u, 768u}) {
    const auto check = [&](const std::vector<float>& values, double epsilon) {
      const factor by(nullptr, cols, 0);
      const auto expected =
          reference::rms_norm(reference::array_of<2>(values, {1, cols}), by.weight, by.offset, epsilon);
      std::vector<float> y(cols);
      kernels::rms_norm(on.context, {values.data(), 1, cols}, nullptr, 0, static_cast<float>(epsilon),
                        y.data());
      CAPTURE(cols, values[0]);
      CHECK(support::compare(y, expected.storage()) <= 1e-6);
    };
    check(std::vector<float>(cols, 1000.0f), 1e-5);
    check(random_values(cols, 21, 1e-20f), 1e-5);
    check(random_values(cols, 22, 1e17f), 1e-5);
    check(std::vector<float>(cols, 0.0f), 1e-12);
  }
}

TEST_CASE("RMS norm's gradients are those of the twin, for any threads") {
  const double epsilon = 1e-2;
  for (const std::size_t width : {1u, 2u, 7u, 16u, 33u, 100u})
    for (const float offset : {0.0f, 1.0f})
      for (const bool has_weight : {true, false}) {
        const std::size_t rows = 5;
        const auto x = random_values(rows * width, 1), weight = random_values(width, 2);
        const auto dy = random_values(rows * width, 4), before = random_values(rows * width, 5),
                   weight_before = random_values(width, 6);
        auto twin_x = reference::array_of<2>(x, {rows, width});
        factor by(has_weight ? &weight : nullptr, width, offset);
        const auto loss = [&] {
          return reference::weighted_sum(dy, reference::rms_norm(twin_x, by.weight, by.offset, epsilon));
        };
        auto expected_dx = reference::gradient_of(loss, twin_x);
        auto expected_dweight = reference::gradient_of(loss, by.weight);
        for (std::size_t i = 0; i < x.size(); ++i) expected_dx[i] += before[i];
        for (std::size_t i = 0; i < width; ++i) expected_dweight[i] += weight_before[i];
        std::vector<float> of_one_thread;
        for (const int threads : {1, 3}) {
          machine machine(threads);
          const placed<float> exact_x(x, 1), exact_dy(dy, 1), exact_weight(weight, 1);
          placed<float> dx(before, 1), dweight(weight_before, 1), other(before, 1);
          const float* const given = has_weight ? exact_weight.data() : nullptr;
          CAPTURE(width, offset, has_weight, threads);
          kernels::rms_norm_backward(machine.context, {exact_x.data(), rows, width}, given, offset,
                                     static_cast<float>(epsilon), exact_dy.data(), dx.data(), dweight.data());
          CHECK(support::compare(dx, expected_dx) <= 3e-6);
          CHECK(support::compare(dweight, expected_dweight) <= 3e-6);
          if (threads == 1) of_one_thread.assign(dx.begin(), dx.end());
          CHECK(std::ranges::equal(dx, of_one_thread));
          kernels::rms_norm_backward(machine.context, {exact_x.data(), rows, width}, given, offset,
                                     static_cast<float>(epsilon), exact_dy.data(), other.data(), nullptr);
          CHECK(std::ranges::equal(dx, other));
        }
      }
}

TEST_CASE("RMS norms of heads, and their gradients, are those of rows, and nothing beside them is touched") {
  for (const auto& where : {kernels::head_rows{1, 5, 1, 1}, kernels::head_rows{3, 25, 2, 7},
                            kernels::head_rows{2, 64, 4, 16}, kernels::head_rows{2, 110, 3, 33},
                            kernels::head_rows{5, 300, 3, 100}, kernels::head_rows{41, 1100, 8, 128}})
    for (const bool has_weight : {true, false}) {
      const std::size_t count = where.rows * where.heads, width = where.head_width;
      const heads_in_rows lies{where};
      const auto x = random_values(count * width, 1), weight = random_values(width, 2),
                 dy = random_values(count * width, 3), weight_before = random_values(width, 4);
      const float* const given = has_weight ? weight.data() : nullptr;
      std::vector<float> of_one_thread;
      for (const int threads : {1, 3}) {
        machine on(threads);
        CAPTURE(where.rows, where.heads, width, has_weight, threads);
        const placed<float> spread(lies.spread(x), 1);
        std::vector<float> expected(count * width);
        kernels::rms_norm(on.context, {x.data(), count, width}, given, 1.0f, 1e-2f, expected.data());
        placed<float> y(spread, 1), apart(std::vector<float>(spread.size(), 7.0f), 1);
        kernels::rms_norm_heads(on.context, where, y.data(), given, 1.0f, 1e-2f, y.data());
        CHECK(lies.collect(y) == expected);
        kernels::rms_norm_heads(on.context, where, spread.data(), given, 1.0f, 1e-2f, apart.data());
        CHECK(lies.collect(apart) == expected);
        const auto kept = [](float value) { return std::isnan(value) || value == 7.0f; };
        CHECK(static_cast<std::size_t>(std::ranges::count_if(y, kept)) == spread.size() - count * width);
        CHECK(static_cast<std::size_t>(std::ranges::count_if(apart, kept)) == spread.size() - count * width);

        placed<float> d(lies.spread(dy), 1), dweight(weight_before, 1);
        kernels::rms_norm_heads_backward(on.context, where, spread.data(), given, 1.0f, 1e-2f, d.data(),
                                         dweight.data());
        std::vector<float> expected_dx(count * width), expected_dweight = weight_before;
        kernels::rms_norm_backward(on.context, {x.data(), count, width}, given, 1.0f, 1e-2f, dy.data(),
                                   expected_dx.data(), expected_dweight.data());
        CHECK(support::compare(lies.collect(d), expected_dx) <= 1e-6);
        CHECK(std::ranges::equal(dweight, expected_dweight));
        CHECK(static_cast<std::size_t>(std::ranges::count_if(d, kept)) == spread.size() - count * width);
        if (threads == 1) of_one_thread = lies.collect(d);
        CHECK(lies.collect(d) == of_one_thread);
        placed<float> other(lies.spread(dy), 1);
        kernels::rms_norm_heads_backward(on.context, where, spread.data(), given, 1.0f, 1e-2f, other.data(),
                                         nullptr);
        CHECK(lies.collect(other) == of_one_thread);
      }
    }
}
