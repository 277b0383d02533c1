// Many rows of activations times stored weights: bound by arithmetic, so blocks of the weights are widened to
// f32 and packed to lie in cache, and a register tile of outputs is computed at a time (Goto & van de Geijn,
// "Anatomy of High-Performance Matrix Multiplication", 2008).
#pragma once

#include <algorithm>
#include <cstddef>

#include <transept/kernels/matmul_one_row.hpp>
#include <transept/kernels/operands.hpp>
#include <transept/runtime/compute_context.hpp>
#include <transept/simd/batch.hpp>
#include <transept/simd/unroll.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::detail {

// Register tile: tile_rows × tile_cols outputs, as two batches a row.
inline constexpr std::size_t tile_rows = simd::registers == 32 ? 12 : 6;
inline constexpr std::size_t tile_cols = 2 * simd::width;

// Cache block: [block_inner, block_cols] weights as f32, 256 KiB, in the second-level cache.
inline constexpr std::size_t block_inner = 256;
inline constexpr std::size_t block_cols = 256;
static_assert(block_cols % tile_cols == 0);

/// packed [strips][inner][tile_cols] = w[k0 + k, n0 + j], padded with zeros to whole strips.
template <class T>
void pack_block(const T* w, std::size_t outputs, std::size_t k0, std::size_t inner, std::size_t n0,
                std::size_t cols, float* packed) {
  for (std::size_t k = 0; k < inner; ++k) {
    const T* row = w + (k0 + k) * outputs + n0;
    for (std::size_t j = 0; j < cols; j += simd::width) {
      const std::size_t strip_index = j / tile_cols;
      float* to = packed + strip_index * inner * tile_cols + k * tile_cols + j % tile_cols;
      simd::store(to, j + simd::width <= cols ? simd::load(row + j) : simd::load_partial(row + j, cols - j));
    }
    if (const std::size_t rest = cols % tile_cols;
        rest != 0 && rest <= simd::width) // the strip's second batch
      simd::store(packed + (cols / tile_cols * inner + k) * tile_cols + simd::width, simd::broadcast(0.0f));
  }
}

/// One register tile: continues (or begins) the sums of Rows × `Batches` batches by what add_products(tile)
/// adds to them. `sums` is where unfinished sums are kept, `y` where finished ones go, both with rows
/// `stride` apart, y's first output being n; `cols` outputs exist.
template <std::size_t Rows, std::size_t Batches, class AddProducts>
TRANSEPT_ALWAYS_INLINE inline void compute_tile(AddProducts&& add_products, float* sums, float* y,
                                                std::size_t stride, std::size_t n, std::size_t cols,
                                                bool first, bool last, const epilogue& finish) {
  constexpr std::size_t width = simd::width;
  simd::batch tile[Rows * Batches];
  const bool whole = cols == Batches * width;
  // What is rare goes in and out through memory, so that it is compiled once, not per batch.
  alignas(64) float lanes[Rows * Batches * width];
  const auto for_each_batch = [&](auto&& f) {
    for (std::size_t i = 0; i < Rows * Batches; ++i) {
      const std::size_t column = i % Batches * width;
      if (column < cols)
        f(lanes + i * width, i / Batches * stride + column, n + column, std::min(width, cols - column));
    }
  };
  const auto place = [&](std::size_t i) { return i / Batches * stride + i % Batches * width; };
  const auto unroll_batches = [](auto&& f) TRANSEPT_ALWAYS_INLINE { simd::unroll<Rows * Batches>(f); };
  if (first) {
    unroll_batches([&](auto i) TRANSEPT_ALWAYS_INLINE { tile[i] = simd::broadcast(0.0f); });
  } else if (whole) {
    unroll_batches([&](auto i) TRANSEPT_ALWAYS_INLINE { tile[i] = simd::load(sums + place(i)); });
  } else {
    for_each_batch([&](float* its, std::size_t at, std::size_t, std::size_t count) {
      simd::store(its, simd::load_upto(sums + at, count));
    });
    unroll_batches([&](auto i) TRANSEPT_ALWAYS_INLINE { tile[i] = simd::load(lanes + i * width); });
  }
  add_products(tile);
  if (whole && !last)
    return unroll_batches([&](auto i) TRANSEPT_ALWAYS_INLINE { simd::store(sums + place(i), tile[i]); });
  unroll_batches([&](auto i) TRANSEPT_ALWAYS_INLINE { simd::store(lanes + i * width, tile[i]); });
  for_each_batch([&](const float* its, std::size_t at, std::size_t output, std::size_t count) {
    if (last)
      finish.store(simd::load(its), y + at, output, count);
    else
      simd::store_upto(sums + at, simd::load(its), count);
  });
}

/// A tile of Rows × tile_cols over `inner` packed weights.
template <std::size_t Rows>
void multiply_tile(const float* x, std::size_t x_stride, const float* packed, std::size_t inner, float* sums,
                   float* y, std::size_t stride, std::size_t n, std::size_t cols, bool first, bool last,
                   const epilogue& finish) {
  compute_tile<Rows, 2>(
      [&](auto& tile) TRANSEPT_ALWAYS_INLINE {
        for (std::size_t k = 0; k < inner; ++k) {
          const simd::batch left = simd::load(packed + k * tile_cols);
          const simd::batch right = simd::load(packed + k * tile_cols + simd::width);
          simd::unroll<Rows>([&](auto r) TRANSEPT_ALWAYS_INLINE {
            const simd::batch value = simd::broadcast(x[r * x_stride + k]);
            tile[2 * r] = simd::fma(value, left, tile[2 * r]);
            tile[2 * r + 1] = simd::fma(value, right, tile[2 * r + 1]);
          });
        }
      },
      sums, y, stride, n, cols, first, last, finish);
}

/// Where sums that another block of inputs will continue are kept: y, unless y still holds the residual.
inline float* room_for_unfinished_sums(workspace::scope& scope, rows_of_floats x, std::size_t outputs,
                                       float* y, const epilogue& finish) {
  return finish.add_to_output && x.cols > block_inner ? scope.floats(x.rows * outputs) : y;
}

/// y [rows, outputs] = epilogue(x [rows, inner] · w [inner, outputs]).
template <class T>
void matmul_many_rows(compute_context& context, rows_of_floats x, const T* w, std::size_t outputs, float* y,
                      const epilogue& finish) {
  workspace::scope scope(context.memory);
  const auto threads = static_cast<std::size_t>(context.threads.size());
  float* const packed_blocks = scope.floats(threads * block_inner * block_cols);
  float* const sums = room_for_unfinished_sums(scope, x, outputs, y, finish);
  parallel_for(context.threads, outputs, tile_cols, [&](std::size_t begin, std::size_t end, int thread) {
    float* const packed = packed_blocks + static_cast<std::size_t>(thread) * block_inner * block_cols;
    for (std::size_t n0 = begin; n0 < end; n0 += block_cols) {
      const std::size_t cols = std::min(block_cols, end - n0);
      for (std::size_t k0 = 0; k0 < x.cols; k0 += block_inner) {
        const std::size_t inner = std::min(block_inner, x.cols - k0);
        pack_block(w, outputs, k0, inner, n0, cols, packed);
        for (std::size_t r = 0; r < x.rows; r += tile_rows) {
          simd::with_count<tile_rows>(std::min(tile_rows, x.rows - r), [&](auto tile) {
            for (std::size_t j = 0; j < cols; j += tile_cols)
              multiply_tile<tile>(x.row(r) + k0, x.cols, packed + j * inner, inner,
                                  sums + r * outputs + n0 + j, y + r * outputs + n0 + j, outputs, n0 + j,
                                  std::min(tile_cols, cols - j), k0 == 0, k0 + inner == x.cols, finish);
          });
        }
      }
      for (std::size_t r = 0; r < x.rows; ++r) finish.activate(y + r * outputs + n0, cols);
    }
  });
}

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
      for (std::size_t r = 0; r < x.rows; ++r) finish.activate(y + r * outputs + n0, count);
    }
  });
}

} // namespace transept::inline TRANSEPT_ABI::kernels::detail
