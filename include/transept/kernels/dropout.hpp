// Dropout (Srivastava et al. 2014), inverted: y = x / (1 − rate) with probability 1 − rate, else 0.
//
// Nothing of the mask is stored: whether an element is kept is a function of (seed, pass, site, index), so
// the backward pass draws the same again, and so does a run that is resumed.
#pragma once

#include <cstddef>
#include <cstdint>

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
};

inline namespace TRANSEPT_ISA {

/// out [count] = the factors, 0 or 1 / (1 − rate), of the elements of row `row` from `first` on, a multiple
/// of 4.
TRANSEPT_FUNCTION void dropout_factors(const dropout_mask& mask, std::size_t row, std::size_t count,
                                       float* out, std::size_t first = 0);

/// y [rows, cols] = (add_to_output ? y : 0) + x · mask; y may be x.
TRANSEPT_FUNCTION void drop(compute_context& context, const dropout_mask& mask, const float* x,
                            std::size_t rows, std::size_t cols, float* y, bool add_to_output = false);

} // namespace TRANSEPT_ISA
} // namespace kernels
} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/kernels/vector/dropout.hpp>
#endif
