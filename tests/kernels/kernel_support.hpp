// What the kernel tests share: numbers, memory that ends exactly where it should, and error bounds.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <ranges>
#include <span>
#include <string>
#include <vector>

#include <reference/arrays.hpp>

#include <transept/core/element_type.hpp>
#include <transept/kernels/operands.hpp>
#include <transept/runtime/compute_context.hpp>

namespace kernel_tests {

using transept::bf16;
using transept::element_type;
using transept::f16;
using transept::narrow;

/// Around the widths of vectors and of unrolled loops.
inline constexpr std::size_t odd_sizes[] = {1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 100};

/// One unit in the last place of an f32 near 1, halved: the error of one rounding.
inline constexpr double unit = 0x1p-24;

/// `size` elements on the heap that begin `offset` elements behind an aligned address, and end where their
/// block does: an overread of one element is an error to AddressSanitizer.
template <class T>
class placed {
public:
  explicit placed(std::size_t size, std::size_t offset = 0)
      : block_(std::make_unique<T[]>(offset + size)), offset_(offset), size_(size) {}

  template <std::ranges::input_range Values>
  placed(const Values& values, std::size_t offset) : placed(std::size(values), offset) {
    std::size_t i = 0;
    for (const auto& value : values) (*this)[i++] = value;
  }

  T* data() { return block_.get() + offset_; }
  const T* data() const { return block_.get() + offset_; }
  std::size_t size() const { return size_; }
  T& operator[](std::size_t i) { return data()[i]; }
  const T& operator[](std::size_t i) const { return data()[i]; }
  T* begin() { return data(); }
  T* end() { return data() + size_; }
  const T* begin() const { return data(); }
  const T* end() const { return data() + size_; }

private:
  std::unique_ptr<T[]> block_;
  std::size_t offset_, size_;
};

/// Normally distributed, the same on every run.
inline std::vector<float> random_values(std::size_t count, unsigned seed, float deviation = 1.0f) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal(0.0f, deviation);
  std::vector<float> values(count);
  for (float& value : values) value = normal(engine);
  return values;
}

template <class T>
constexpr element_type type_of = std::is_same_v<T, float> ? element_type::f32
                                 : std::is_same_v<T, f16> ? element_type::f16
                                                          : element_type::bf16;

/// Random weights as T.
template <class T>
placed<T> random_weights(std::size_t count, unsigned seed, std::size_t offset = 1) {
  placed<T> weights(count, offset);
  std::size_t i = 0;
  for (const float value : random_values(count, seed)) weights[i++] = narrow(value, T{});
  return weights;
}

/// Threads and scratch memory.
struct machine {
  explicit machine(int count = 1) : threads(count) {}
  transept::thread_pool threads;
  transept::workspace memory;
  transept::compute_context context{threads, memory};
};

template <std::size_t Rank, class Values>
auto magnitudes(const Values& values, const transept::array_shape<Rank>& shape) {
  auto array = reference::array_of<Rank>(values, shape);
  for (double& value : array) value = std::fabs(value);
  return array;
}

/// The worst of actual[i] − expected[i] in units of allowed[i]: at most 1 where all are within.
template <class Actual, class Expected, class Allowed>
double worst_excess(const Actual& actual, const Expected& expected, const Allowed& allowed,
                    std::size_t count) {
  double worst = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double difference = std::fabs(static_cast<double>(actual.data()[i]) - expected.data()[i]);
    const double excess = difference / allowed.data()[i];
    worst = std::isnan(excess) ? (difference == 0 ? worst : std::numeric_limits<double>::infinity())
                               : std::max(worst, excess);
  }
  return worst;
}

} // namespace kernel_tests
