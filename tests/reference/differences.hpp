// Gradients by central differences in double: what a backward pass is judged by.
#pragma once

#include <cstddef>
#include <vector>

namespace reference {

/// ∂f/∂x, element by element, for a function of all of `x`, which is changed and restored. The error is about
/// step² · f‴ / 6 + 1e-16 · |f| / step.
template <class Array, class F>
std::vector<double> gradient_of(F&& f, Array& x, double step = 1e-4) {
  std::vector<double> gradient;
  for (auto& element : x) {
    const auto before = element;
    element = before + step;
    const double above = f();
    element = before - step;
    const double below = f();
    element = before;
    gradient.push_back((above - below) / (2 * step));
  }
  return gradient;
}

/// Σ weights[i] · values[i]: a number to differentiate, in which every value counts.
template <class Weights, class Values>
double weighted_sum(const Weights& weights, const Values& values) {
  double sum = 0;
  auto weight = weights.begin();
  for (const auto& value : values) sum += static_cast<double>(*weight++) * static_cast<double>(value);
  return sum;
}

} // namespace reference
