// What kernels/soft_cap.hpp declares, computed by vectors.
#pragma once

#include <algorithm>
#include <cstddef>

#include <transept/kernels/soft_cap.hpp>
#include <transept/runtime/compute_context.hpp>
#include <transept/simd/math.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

namespace detail {

/// x [count] = f(x, other), a batch at a time, on all threads.
template <class F>
void change_elements(compute_context& context, float* x, const float* other, std::size_t count, F&& f) {
  parallel_for(context.threads, count, 4096, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t i = begin; i < end; i += simd::width) {
      const std::size_t lanes = std::min(simd::width, end - i);
      simd::store_lanes(x + i, f(simd::load_lanes(x + i, lanes), simd::load_lanes(other + i, lanes)), lanes);
    }
  });
}

} // namespace detail

TRANSEPT_FUNCTION void soft_cap(compute_context& context, float* x, std::size_t count, float cap) {
  const simd::batch most = simd::broadcast(cap);
  detail::change_elements(context, x, x, count,
                          [most](simd::batch v, simd::batch) { return most * simd::tanh(v / most); });
}

TRANSEPT_FUNCTION void soft_cap_row(float* x, std::size_t count, float cap) {
  const simd::batch most = simd::broadcast(cap);
  for (std::size_t i = 0; i < count; i += simd::width) {
    const std::size_t lanes = std::min(simd::width, count - i);
    simd::store_lanes(x + i, most * simd::tanh(simd::load_lanes(x + i, lanes) / most), lanes);
  }
}

TRANSEPT_FUNCTION void soft_cap_backward(compute_context& context, const float* y, float* dx,
                                         std::size_t count, float cap) {
  const simd::batch most = simd::broadcast(cap), one = simd::broadcast(1.0f);
  detail::change_elements(context, dx, y, count, [most, one](simd::batch d, simd::batch capped) {
    const simd::batch share = capped / most;
    return d * simd::fma(-share, share, one);
  });
}

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA
