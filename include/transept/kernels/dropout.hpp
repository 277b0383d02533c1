// Dropout (Srivastava et al. 2014), inverted: y = x / (1 − rate) with probability 1 − rate, else 0.
//
// Nothing of the mask is stored: whether an element is kept is a function of (seed, pass, site, index), so
// the backward pass draws the same again, and so does a run that is resumed.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <transept/core/random.hpp>
#include <transept/runtime/compute_context.hpp>

namespace transept::inline TRANSEPT_ABI {

/// What is dropped in one pass; the rates are GPT-2's, in [0, 1), and 0 drops nothing.
struct dropout_settings {
  float embedding = 0.0f; ///< embd_pdrop: of the residual stream before the first block
  float attention = 0.0f; ///< attn_pdrop: of attention's probabilities
  float residual = 0.0f;  ///< resid_pdrop: of what a layer adds to the residual stream
  std::uint64_t seed = 0;
  std::uint64_t pass = 0; ///< another for every forward pass

  friend bool operator==(const dropout_settings&, const dropout_settings&) = default;
};

namespace kernels {

/// One place in a model that drops elements of its own.
struct dropout_mask {
  float rate;
  std::uint64_t seed, pass;
  std::uint32_t site;

  /// out [count] = the factors, 0 or 1 / (1 − rate), of the elements of row `row` from `first` on, a multiple
  /// of 4.
  void factors(std::size_t row, std::size_t count, float* out, std::size_t first = 0) const {
    const auto low = [](std::uint64_t bits) { return static_cast<std::uint32_t>(bits); };
    const auto threshold = static_cast<std::uint32_t>(static_cast<double>(rate) * 0x1p32);
    const float kept = 1.0f / (1.0f - rate);
    const philox_key key{low(seed), low(seed >> 32) ^ low(pass >> 32)};
    for (std::size_t i = 0; i < count; i += 4) {
      const philox_counter bits = philox4x32_10({low(row), low((first + i) / 4), low(pass), site}, key);
      for (std::size_t lane = 0; lane < std::min<std::size_t>(4, count - i); ++lane)
        out[i + lane] = bits[lane] < threshold ? 0.0f : kept;
    }
  }
};

/// y [rows, cols] = (add_to_output ? y : 0) + x · mask; y may be x.
inline void drop(compute_context& context, const dropout_mask& mask, const float* x, std::size_t rows,
                 std::size_t cols, float* y, bool add_to_output = false) {
  parallel_for(context.threads, rows, 4, [&](std::size_t begin, std::size_t end, int) {
    constexpr std::size_t piece = 256;
    float factors[piece];
    for (std::size_t r = begin; r < end; ++r) {
      for (std::size_t i = 0; i < cols; i += piece) {
        const std::size_t count = std::min(piece, cols - i);
        mask.factors(r, count, factors, i);
        for (std::size_t j = 0; j < count; ++j) {
          const std::size_t at = r * cols + i + j;
          y[at] = x[at] * factors[j] + (add_to_output ? y[at] : 0.0f);
        }
      }
    }
  });
}

} // namespace kernels
} // namespace transept::inline TRANSEPT_ABI
