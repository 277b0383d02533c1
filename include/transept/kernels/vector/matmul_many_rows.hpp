// Many rows of activations times weights stored [outputs, inner]: bound by arithmetic, so a block of weights
// is widened to f32 and lies in the second-level cache while all rows pass by. (Weights stored [inner,
// outputs]: product.hpp.)
#pragma once

#include <algorithm>
#include <cstddef>

#include <transept/kernels/vector/matmul_one_row.hpp>
#include <transept/kernels/vector/operands.hpp>
#include <transept/runtime/compute_context.hpp>
#include <transept/simd/batch.hpp>
#include <transept/simd/unroll.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA::detail {

// Register tile of the transposed product: rows of activations × rows of weights, one batch each.
inline constexpr std::size_t dot_rows_x = 4;
inline constexpr std::size_t dot_rows_w = simd::registers == 32 ? 6 : 3;
/// Rows of weights widened to f32 at once; a multiple of dot_rows_w.
inline constexpr std::size_t dot_block = 48;

/// y[r, n] for `XRows` rows of x and `WRows` rows of w (`inner` apart).
template <std::size_t XRows, std::size_t WRows, class T>
void dot_tile(const float* x, const T* w, std::size_t inner, float* y, std::size_t stride, std::size_t n,
              const epilogue& finish) {
  simd::batch partial[XRows * WRows];
  simd::unroll<XRows * WRows>([&](auto i) { partial[i] = simd::broadcast(0.0f); });
  const auto accumulate = [&](auto read, std::size_t k) TRANSEPT_ALWAYS_INLINE {
    simd::batch weights[WRows]; // held; activations pass by, so that all fits the registers
    simd::unroll<WRows>([&](auto c) { weights[c] = read(w + c * inner + k); });
    simd::unroll<XRows>([&](auto r) {
      const simd::batch value = read(x + r * inner + k);
      simd::unroll<WRows>(
          [&](auto c) { partial[r * WRows + c] = simd::fma(value, weights[c], partial[r * WRows + c]); });
    });
  };
  std::size_t k = 0;
  for (; k + simd::width <= inner; k += simd::width)
    accumulate([](const auto* from) { return simd::load(from); }, k);
  if (k < inner)
    accumulate([rest = inner - k](const auto* from) { return simd::load_partial(from, rest); }, k);
  simd::unroll<XRows>([&](auto r) {
    simd::unroll<WRows>(
        [&](auto c) { store_one(simd::sum(partial[r * WRows + c]), y + r * stride, n + c, finish); });
  });
}

/// to [count] = from, widened to f32.
template <class T>
void widen(const T* from, std::size_t count, float* to) {
  std::size_t i = 0;
  for (; i + simd::width <= count; i += simd::width) simd::store(to + i, simd::load(from + i));
  if (i < count) simd::store_partial(to + i, simd::load_partial(from + i, count - i), count - i);
}

/// y [rows, outputs] = epilogue(x [rows, inner] · w [outputs, inner]ᵀ).
template <class T>
void matmul_transposed_many_rows(compute_context& context, rows_of_floats x, const T* w, std::size_t outputs,
                                 float* y, const epilogue& finish) {
  workspace::scope scope(context.memory);
  const std::size_t inner = x.cols;
  const auto threads = static_cast<std::size_t>(context.threads.size());
  float* const widened_blocks = scope.floats(threads * dot_block * inner);
  parallel_for(context.threads, outputs, one_row_grain, [&](std::size_t begin, std::size_t end, int thread) {
    float* const widened = widened_blocks + static_cast<std::size_t>(thread) * dot_block * inner;
    for (std::size_t n0 = begin; n0 < end; n0 += dot_block) {
      const std::size_t count = std::min(dot_block, end - n0);
      widen(w + n0 * inner, count * inner, widened);
      simd::in_tiles<dot_rows_x>(x.rows, [&](std::size_t r, auto x_rows) {
        simd::in_tiles<dot_rows_w>(count, [&](std::size_t j, auto w_rows) {
          dot_tile<x_rows, w_rows>(x.row(r), widened + j * inner, inner, y + r * outputs, outputs, n0 + j,
                                   finish);
        });
      });
      activate_outputs(finish, y + n0, x.rows, outputs, count);
    }
  });
}

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA::detail
