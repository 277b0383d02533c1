// What kernels/dropout.hpp declares, computed by vectors.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <transept/core/random.hpp>
#include <transept/kernels/dropout.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

TRANSEPT_FUNCTION void dropout_factors(const dropout_mask& mask, std::size_t row, std::size_t count,
                                       float* out, std::size_t first) {
  const auto low = [](std::uint64_t bits) { return static_cast<std::uint32_t>(bits); };
  const auto threshold = static_cast<std::uint32_t>(static_cast<double>(mask.rate) * 0x1p32);
  const float kept = 1.0f / (1.0f - mask.rate);
  const philox_key key{low(mask.seed), low(mask.seed >> 32) ^ low(mask.pass >> 32)};
  for (std::size_t i = 0; i < count; i += 4) {
    const philox_counter bits =
        philox4x32_10({low(row), low((first + i) / 4), low(mask.pass), mask.site}, key);
    for (std::size_t lane = 0; lane < std::min<std::size_t>(4, count - i); ++lane)
      out[i + lane] = bits[lane] < threshold ? 0.0f : kept;
  }
}

TRANSEPT_FUNCTION void drop(compute_context& context, const dropout_mask& mask, const float* x,
                            std::size_t rows, std::size_t cols, float* y, bool add_to_output) {
  parallel_for(context.threads, rows, 4, [&](std::size_t begin, std::size_t end, int) {
    constexpr std::size_t piece = 256;
    float factors[piece];
    for (std::size_t r = begin; r < end; ++r) {
      for (std::size_t i = 0; i < cols; i += piece) {
        const std::size_t count = std::min(piece, cols - i);
        dropout_factors(mask, r, count, factors, i);
        for (std::size_t j = 0; j < count; ++j) {
          const std::size_t at = r * cols + i + j;
          y[at] = x[at] * factors[j] + (add_to_output ? y[at] : 0.0f);
        }
      }
    }
  });
}

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA
