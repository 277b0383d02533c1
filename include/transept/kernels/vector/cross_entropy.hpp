// What kernels/cross_entropy.hpp declares, computed by vectors.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

#include <transept/kernels/cross_entropy.hpp>
#include <transept/kernels/vector/soft_cap.hpp>
#include <transept/kernels/vector/softmax.hpp>
#include <transept/simd/math.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

TRANSEPT_FUNCTION double cross_entropy_backward(float* z, std::size_t count, std::size_t target,
                                                float smoothing, float weight, float cap) {
  if (cap > 0) soft_cap_row(z, count, cap);
  const float capped_target = cap > 0 ? z[target] / cap : 0.0f; // of 1
  const double log_sum = log_sum_exp(z, count);
  double loss = log_sum - static_cast<double>(z[target]);
  if (smoothing > 0) {
    double sum = 0;
    for (std::size_t i = 0; i < count; ++i) sum += static_cast<double>(z[i]);
    loss +=
        static_cast<double>(smoothing) * (static_cast<double>(z[target]) - sum / static_cast<double>(count));
  }
  const simd::batch shift = simd::broadcast(static_cast<float>(-log_sum));
  const simd::batch factor = simd::broadcast(weight);
  const simd::batch uniform = simd::broadcast(-smoothing / static_cast<float>(count) * weight);
  for (std::size_t i = 0; i < count; i += simd::width) {
    const std::size_t lanes = std::min(simd::width, count - i);
    const simd::batch logits = simd::load_lanes(z + i, lanes);
    simd::batch gradient = simd::fma(simd::exp(logits + shift), factor, uniform);
    if (cap > 0) {
      const simd::batch share = logits / simd::broadcast(cap);
      gradient = gradient * simd::fma(-share, share, simd::broadcast(1.0f));
    }
    simd::store_lanes(z + i, gradient, lanes);
  }
  const float let_through = 1.0f - capped_target * capped_target;
  z[target] -= (1.0f - smoothing) * weight * let_through;
  return loss;
}

TRANSEPT_FUNCTION double cross_entropy(const float* z, std::size_t count, std::size_t target) {
  return log_sum_exp(z, count) - static_cast<double>(z[target]);
}

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA
