// Product of two matrices, the arithmetic under prompts and training:
//
//   y[r, n] = Σₖ a[r, k] · b[k, n]      a of f32, b of any element type, either of which may lie transposed
//
// Both are packed into blocks that fit the caches (b widened to f32), then multiplied a register tile at a
// time (Goto & van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008). An output is one
// sum, k ascending, with one fma each, whatever the blocks and the number of threads: threads divide rows.
#pragma once

#include <algorithm>
#include <cstddef>

#include <transept/kernels/operands.hpp>
#include <transept/runtime/compute_context.hpp>
#include <transept/simd/batch.hpp>
#include <transept/simd/unroll.hpp>

namespace transept::inline TRANSEPT_ABI::kernels {

/// A matrix called [rows, cols]: rows `stride` apart, or, if `transposed`, columns.
template <class T>
struct strided_matrix {
  const T* data;
  std::size_t stride;
  bool transposed = false;

  const T* at(std::size_t row, std::size_t col) const {
    return transposed ? data + col * stride + row : data + row * stride + col;
  }
};
using float_matrix = strided_matrix<float>;

/// The same memory, called [cols, rows].
template <class T>
constexpr strided_matrix<T> transposed(strided_matrix<T> m) {
  return {m.data, m.stride, !m.transposed};
}

struct product_shape {
  std::size_t rows, inner, cols;
};

namespace detail {

// Register tile: tile_rows × tile_cols outputs, as two batches a row.
inline constexpr std::size_t tile_rows = simd::registers == 32 ? 12 : 6;
inline constexpr std::size_t tile_cols = 2 * simd::width;

// Blocks: of a [block_rows, block_inner] per thread, in the second-level cache; of b [block_inner,
// block_cols] for all threads, in the last.
inline constexpr std::size_t block_inner = 256;
inline constexpr std::size_t block_rows = 120;
inline constexpr std::size_t block_cols = 4096;
inline constexpr std::size_t a_block_room = block_rows * block_inner + simd::width; // see pack_across
static_assert(block_rows % tile_rows == 0 && block_cols % tile_cols == 0);

constexpr std::size_t rounded_up(std::size_t n, std::size_t unit) { return (n + unit - 1) / unit * unit; }

/// packed [inner][Lanes] = from[lane · lane_step + k], squares of numbers at a time. May write up to a vector
/// beyond its end.
template <std::size_t Lanes, class T>
void pack_across(const T* from, std::size_t lane_step, std::size_t inner, float* packed) {
  std::size_t k = 0;
  if constexpr (Lanes % simd::width == 0 || Lanes < simd::width) {
    for (; k + simd::width <= inner; k += simd::width) {
      for (std::size_t first = 0; first < Lanes; first += simd::width) {
        simd::batch square[simd::width];
        for (std::size_t i = 0; i < simd::width; ++i)
          square[i] =
              first + i < Lanes ? simd::load(from + (first + i) * lane_step + k) : simd::broadcast(0.0f);
        simd::transpose(square);
        // Where Lanes is less than a vector, each store leaves zeros that the next one overwrites.
        for (std::size_t i = 0; i < simd::width; ++i)
          simd::store(packed + (k + i) * Lanes + first, square[i]);
      }
    }
  }
  for (; k < inner; ++k)
    for (std::size_t lane = 0; lane < Lanes; ++lane)
      packed[k * Lanes + lane] = to_float(from[lane * lane_step + k]);
}

/// packed [inner][Lanes] = m[k0 + k, n0 + lane] for `lanes` lanes, the others 0.
template <std::size_t Lanes, class T>
void pack_strip(strided_matrix<T> m, std::size_t k0, std::size_t inner, std::size_t n0, std::size_t lanes,
                float* packed) {
  const T* const from = m.at(k0, n0);
  const std::size_t k_step = m.transposed ? 1 : m.stride, lane_step = m.transposed ? m.stride : 1;
  if (lanes < Lanes) {
    std::fill_n(packed, inner * Lanes, 0.0f);
    for (std::size_t k = 0; k < inner; ++k)
      for (std::size_t lane = 0; lane < lanes; ++lane)
        packed[k * Lanes + lane] = to_float(from[k * k_step + lane * lane_step]);
  } else if (m.transposed) {
    pack_across<Lanes>(from, lane_step, inner, packed);
  } else if constexpr (Lanes % simd::width == 0) {
    for (std::size_t k = 0; k < inner; ++k)
      for (std::size_t lane = 0; lane < Lanes; lane += simd::width)
        simd::store(packed + k * Lanes + lane, simd::load(from + k * k_step + lane));
  } else {
    for (std::size_t k = 0; k < inner; ++k)
      for (std::size_t lane = 0; lane < Lanes; ++lane)
        packed[k * Lanes + lane] = to_float(from[k * k_step + lane]);
  }
}

/// Where the sums of a tile come from and go to.
struct tile_output {
  const float* sums; ///< what they continue; null: 0
  float* y;
  std::size_t stride, rows, cols; ///< of the tile that exists, at most tile_rows × tile_cols
  const epilogue* finish;         ///< null: more products follow
  std::size_t n;                  ///< the tile's first output, for the epilogue
};

/// Adds a [inner][tile_rows] · b [inner][tile_cols] to a tile of sums.
inline void multiply_tile(const float* a, const float* b, std::size_t inner, const tile_output& out) {
  constexpr std::size_t width = simd::width;
  const bool whole = out.rows == tile_rows && out.cols == tile_cols;
  alignas(64) float tile[tile_rows * tile_cols]; // stands in for y where that has less
  simd::batch left[tile_rows], right[tile_rows];
  const float* from = out.sums;
  std::size_t from_stride = out.stride;
  if (from && !whole) {
    for (std::size_t r = 0; r < out.rows; ++r)
      for (std::size_t j = 0; j < out.cols; ++j) tile[r * tile_cols + j] = from[r * out.stride + j];
    from = tile;
    from_stride = tile_cols;
  }
  simd::unroll<tile_rows>([&](auto r) TRANSEPT_ALWAYS_INLINE {
    left[r] = from ? simd::load(from + r * from_stride) : simd::broadcast(0.0f);
    right[r] = from ? simd::load(from + r * from_stride + width) : simd::broadcast(0.0f);
  });
  for (std::size_t k = 0; k < inner; ++k, a += tile_rows, b += tile_cols) {
    const simd::batch b_left = simd::load(b);
    const simd::batch b_right = simd::load(b + width);
    simd::unroll<tile_rows>([&](auto r) TRANSEPT_ALWAYS_INLINE {
      const simd::batch value = simd::broadcast(a[r]);
      left[r] = simd::fma(value, b_left, left[r]);
      right[r] = simd::fma(value, b_right, right[r]);
    });
  }
  if (whole) {
    if (out.finish && out.finish->bias) {
      const simd::batch bias_left = simd::load(out.finish->bias + out.n);
      const simd::batch bias_right = simd::load(out.finish->bias + out.n + width);
      simd::unroll<tile_rows>([&](auto r) TRANSEPT_ALWAYS_INLINE {
        left[r] += bias_left;
        right[r] += bias_right;
      });
    }
    if (out.finish && out.finish->add_to_output) {
      simd::unroll<tile_rows>([&](auto r) TRANSEPT_ALWAYS_INLINE {
        left[r] += simd::load(out.y + r * out.stride);
        right[r] += simd::load(out.y + r * out.stride + width);
      });
    }
    simd::unroll<tile_rows>([&](auto r) TRANSEPT_ALWAYS_INLINE {
      simd::store(out.y + r * out.stride, left[r]);
      simd::store(out.y + r * out.stride + width, right[r]);
    });
    return;
  }
  simd::unroll<tile_rows>([&](auto r) TRANSEPT_ALWAYS_INLINE {
    simd::store(tile + r * tile_cols, left[r]);
    simd::store(tile + r * tile_cols + width, right[r]);
  });
  const epilogue none;
  const epilogue& finish = out.finish ? *out.finish : none;
  for (std::size_t r = 0; r < out.rows; ++r)
    for (std::size_t j = 0; j < out.cols; j += width)
      finish.store(simd::load(tile + r * tile_cols + j), out.y + r * out.stride + j, out.n + j,
                   std::min(width, out.cols - j));
}

/// One block of each operand multiplied: rows [begin, end) of a, `cols` packed columns of b from n0.
struct block_product {
  float_matrix a;
  std::size_t k0, inner, n0, cols;
  const float* packed_b;
  const float* sums; ///< [rows, cols] as y lies, or null
  float* y;
  std::size_t stride;
  const epilogue* finish;

  void multiply_rows(std::size_t begin, std::size_t end, float* packed_a) const {
    for (std::size_t r0 = begin; r0 < end; r0 += block_rows) {
      const std::size_t rows = std::min(block_rows, end - r0);
      for (std::size_t r = 0; r < rows; r += tile_rows)
        pack_strip<tile_rows>(transposed(a), k0, inner, r0 + r, std::min(tile_rows, rows - r),
                              packed_a + r * inner);
      for (std::size_t j = 0; j < cols; j += tile_cols)
        for (std::size_t r = 0; r < rows; r += tile_rows) {
          const std::size_t at = (r0 + r) * stride + n0 + j;
          multiply_tile(packed_a + r * inner, packed_b + j * inner, inner,
                        {sums ? sums + at : nullptr, y + at, stride, std::min(tile_rows, rows - r),
                         std::min(tile_cols, cols - j), finish, n0 + j});
        }
      if (finish)
        for (std::size_t r = 0; r < rows; ++r) finish->activate(y + (r0 + r) * stride + n0, cols);
    }
  }
};

} // namespace detail

/// Scratch memory that `multiply` takes from the workspace, at most; `added`: where it adds to its output.
constexpr std::size_t product_scratch_bytes(std::size_t rows, std::size_t cols, std::size_t threads,
                                            bool added = true) {
  const std::size_t b_cols = std::min(detail::rounded_up(cols, detail::tile_cols), detail::block_cols);
  return workspace::room_for(detail::block_inner * b_cols) +
         workspace::room_for(threads * detail::a_block_room) + (added ? workspace::room_for(rows * cols) : 0);
}

/// y [rows, cols], rows `stride` apart, = epilogue(a [rows, inner] · b [inner, cols]). With `continued`, sums
/// begin with what y holds instead of 0.
template <class T>
void multiply(compute_context& context, product_shape shape, float_matrix a, strided_matrix<T> b, float* y,
              std::size_t stride, const epilogue& finish = {}, bool continued = false) {
  constexpr std::size_t strip = detail::tile_cols;
  workspace::scope scope(context.memory);
  float* const packed_b = scope.floats(std::min(shape.inner, detail::block_inner) *
                                       std::min(detail::rounded_up(shape.cols, strip), detail::block_cols));
  float* const packed_a =
      scope.floats(static_cast<std::size_t>(context.threads.size()) * detail::a_block_room);
  // Unfinished sums may lie in y, unless y still holds what they will be added to.
  const bool apart = finish.add_to_output && shape.inner > detail::block_inner;
  float* const unfinished = apart ? scope.floats(shape.rows * stride) : y;

  for (std::size_t n0 = 0; n0 < shape.cols; n0 += detail::block_cols) {
    const std::size_t cols = std::min(detail::block_cols, shape.cols - n0);
    for (std::size_t k0 = 0; k0 < shape.inner; k0 += detail::block_inner) {
      const std::size_t inner = std::min(detail::block_inner, shape.inner - k0);
      const bool first = k0 == 0, last = k0 + inner == shape.inner;
      parallel_for(context.threads, cols, strip, [&](std::size_t begin, std::size_t end, int) {
        for (std::size_t j = begin; j < end; j += strip)
          detail::pack_strip<strip>(b, k0, inner, n0 + j, std::min(strip, end - j), packed_b + j * inner);
      });
      const detail::block_product block{.a = a,
                                        .k0 = k0,
                                        .inner = inner,
                                        .n0 = n0,
                                        .cols = cols,
                                        .packed_b = packed_b,
                                        .sums = !first      ? unfinished
                                                : continued ? y
                                                            : nullptr,
                                        .y = last ? y : unfinished,
                                        .stride = stride,
                                        .finish = last ? &finish : nullptr};
      parallel_for(context.threads, shape.rows, detail::tile_rows,
                   [&](std::size_t begin, std::size_t end, int thread) {
                     block.multiply_rows(begin, end,
                                         packed_a + static_cast<std::size_t>(thread) * detail::a_block_room);
                   });
    }
  }
}

} // namespace transept::inline TRANSEPT_ABI::kernels
