// What kernels/add.hpp declares, computed by vectors.
#pragma once

#include <cstddef>

#include <transept/kernels/add.hpp>
#include <transept/runtime/compute_context.hpp>
#include <transept/simd/batch.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

TRANSEPT_FUNCTION void add(compute_context& context, const float* x, std::size_t count, float* y) {
  parallel_for(context.threads, count, 4096, [&](std::size_t begin, std::size_t end, int) {
    std::size_t i = begin;
    for (; i + simd::width <= end; i += simd::width)
      simd::store(y + i, simd::load(y + i) + simd::load(x + i));
    for (; i < end; ++i) y[i] += x[i];
  });
}

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA
