// One row of activations times stored weights: bound by memory, so the weights are read exactly once, in
// several streams.
#pragma once

#include <algorithm>
#include <cstddef>

#include <transept/kernels/vector/operands.hpp>
#include <transept/kernels/vector/prefetch.hpp>
#include <transept/simd/batch.hpp>
#include <transept/simd/unroll.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA::detail {

/// Rows of weights read at once: as many streams keep the memory busy.
inline constexpr std::size_t streams = 8;
/// The same of rows of [outputs, inner]: fewer where a vector takes a whole line of memory.
inline constexpr std::size_t dot_streams = simd::width * sizeof(float) < cache_line ? 8 : 4;
/// Threads divide outputs in multiples of this.
inline constexpr std::size_t one_row_grain = 16;
/// Outputs whose sums are kept in the first-level cache together.
inline constexpr std::size_t strip = 1024;

/// sums[j] += Σᵢ x[i] · w[i, j] over `Rows` rows that lie `stride` apart, i ascending, j in [0, count).
/// The rows `ahead` elements further on are prefetched.
template <std::size_t Rows, class T>
void add_scaled_rows(const float* x, const T* w, std::size_t stride, std::size_t ahead, float* sums,
                     std::size_t count) {
  simd::batch scale[Rows];
  simd::unroll<Rows>([&](auto i) { scale[i] = simd::broadcast(x[i]); });
  std::size_t j = 0;
  for (; j + simd::width <= count; j += simd::width) {
    simd::batch sum = simd::load(sums + j);
    simd::unroll<Rows>([&](auto i) {
      prefetch(w + i * stride + j, ahead);
      sum = simd::fma(scale[i], simd::load(w + i * stride + j), sum);
    });
    simd::store(sums + j, sum);
  }
  if (j < count) {
    simd::batch sum = simd::load_partial(sums + j, count - j);
    simd::unroll<Rows>(
        [&](auto i) { sum = simd::fma(scale[i], simd::load_partial(w + i * stride + j, count - j), sum); });
    simd::store_partial(sums + j, sum, count - j);
  }
}

/// y[n] = epilogue(Σₖ x[k] · w[k, n]) for n in [begin, end); w [inner, outputs].
template <class T>
void matmul_one_row(const float* x, std::size_t inner, const T* w, std::size_t outputs, std::size_t begin,
                    std::size_t end, float* y, const epilogue& finish) {
  fetch(x, inner);
  alignas(64) float sums[strip];
  for (std::size_t n = begin; n < end; n += strip) {
    const std::size_t count = std::min(strip, end - n);
    std::fill_n(sums, count, 0.0f);
    std::size_t k = 0;
    for (; k + streams <= inner; k += streams)
      add_scaled_rows<streams>(x + k, w + k * outputs + n, outputs, streams * outputs, sums, count);
    for (; k < inner; ++k) add_scaled_rows<1>(x + k, w + k * outputs + n, outputs, 0, sums, count);
    std::size_t j = 0;
    for (; j + simd::width <= count; j += simd::width)
      store_outputs(finish, simd::load(sums + j), y + n + j, n + j);
    if (j < count)
      store_outputs(finish, simd::load_partial(sums + j, count - j), y + n + j, n + j, count - j);
    activate_outputs(finish, y + n, count);
  }
}

/// sums[i] = x · wᵢ for `Rows` rows of weights that lie `stride` apart, each in `width` partial sums that are
/// added at the end.
template <std::size_t Rows, class T>
void dot_rows(const float* x, const T* w, std::size_t stride, std::size_t inner, float* sums) {
  constexpr std::size_t line = cache_line / sizeof(T), distance = 4096 / dot_streams / sizeof(T); // elements
  simd::batch partial[Rows];
  simd::unroll<Rows>([&](auto i) { partial[i] = simd::broadcast(0.0f); });
  const auto add = [&](std::size_t k) TRANSEPT_ALWAYS_INLINE {
    const simd::batch values = simd::load(x + k);
    simd::unroll<Rows>([&](auto i) TRANSEPT_ALWAYS_INLINE {
      partial[i] = simd::fma(values, simd::load(w + i * stride + k), partial[i]);
    });
  };
  std::size_t k = 0;
  for (; k + line <= inner; k += line) {
    simd::unroll<Rows>([&](auto i) TRANSEPT_ALWAYS_INLINE { prefetch(w + i * stride + k, distance); });
    for (std::size_t part = 0; part < line; part += simd::width) add(k + part);
  }
  for (; k + simd::width <= inner; k += simd::width) add(k);
  if (k < inner) {
    const simd::batch values = simd::load_partial(x + k, inner - k);
    simd::unroll<Rows>([&](auto i) {
      partial[i] = simd::fma(values, simd::load_partial(w + i * stride + k, inner - k), partial[i]);
    });
  }
  simd::unroll<Rows>([&](auto i) { sums[i] = simd::sum(partial[i]); });
}

/// One finished scalar sum.
inline void store_one(float sum, float* y, std::size_t n, const epilogue& finish) {
  if (finish.bias) sum += finish.bias[n];
  y[n] = finish.add_to_output ? sum + y[n] : sum;
}

/// y[n] = epilogue(Σₖ x[k] · w[n, k]) for n in [begin, end); w [outputs, inner].
template <class T>
void matmul_transposed_one_row(const float* x, std::size_t inner, const T* w, std::size_t begin,
                               std::size_t end, float* y, const epilogue& finish) {
  fetch(x, inner);
  float sums[dot_streams];
  // Rows far apart, each followed by its neighbour: streams of memory that do not disturb each other.
  const std::size_t apart = (end - begin) / dot_streams;
  for (std::size_t n = begin; n < begin + apart; ++n) {
    dot_rows<dot_streams>(x, w + n * inner, apart * inner, inner, sums);
    for (std::size_t i = 0; i < dot_streams; ++i) store_one(sums[i], y, n + i * apart, finish);
  }
  for (std::size_t n = begin + dot_streams * apart; n < end; ++n) {
    dot_rows<1>(x, w + n * inner, inner, inner, sums);
    store_one(sums[0], y, n, finish);
  }
  activate_outputs(finish, y + begin, end - begin);
}

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA::detail
