// Arithmetic in registers (kernels/peak.hpp).
#pragma once

#include <cstddef>

#include <transept/kernels/peak.hpp>
#include <transept/simd/batch.hpp>
#include <transept/simd/unroll.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

TRANSEPT_FUNCTION double multiply_in_registers(std::size_t steps) {
  constexpr std::size_t chains = 12; // two units times a latency of four, with some to spare
  // What the compiler cannot know, it can neither compute beforehand nor leave out.
  volatile float start_value = 0.5f, factor_value = 0.5f, term_value = 0.25f, kept;
  simd::batch sums[chains];
  simd::unroll<chains>([&](auto c) { sums[c] = simd::broadcast(start_value); });
  const simd::batch factor = simd::broadcast(factor_value), term = simd::broadcast(term_value);
  for (std::size_t step = 0; step < steps; ++step)
    simd::unroll<chains>([&](auto c) { sums[c] = simd::fma(sums[c], factor, term); });
  simd::unroll<chains>([&](auto c) { kept = simd::sum(sums[c]); });
  return 2.0 * static_cast<double>(chains * steps * simd::width);
}

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA
