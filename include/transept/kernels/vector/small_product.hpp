// Matrix products that lie in the first caches, of one attention head say: nothing is packed.
#pragma once

#include <cstddef>

#include <transept/kernels/vector/product.hpp>
#include <transept/simd/batch.hpp>
#include <transept/simd/unroll.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA::detail {

// Register tile: small enough to leave few rows over, large enough to hide the latency of multiply-adds and,
// where there are registers for it, to read less than is multiplied.
inline constexpr std::size_t small_tile_rows = simd::registers == 32 ? 8 : 4;
inline constexpr std::size_t small_tile_cols = 2 * simd::width;

/// Element (r, k) is data[r · row_step + k · inner_step].
struct strided {
  const float* data;
  std::size_t row_step, inner_step;
};

template <std::size_t Rows>
void small_product_tile(strided a, std::size_t inner, const float* b, std::size_t b_stride, float* c,
                        std::size_t c_stride, bool add) {
  simd::batch left[Rows], right[Rows];
  simd::unroll<Rows>([&](auto r) TRANSEPT_ALWAYS_INLINE { left[r] = right[r] = simd::broadcast(0.0f); });
  for (std::size_t k = 0; k < inner; ++k) {
    const simd::batch b_left = simd::in_register(simd::load(b + k * b_stride));
    const simd::batch b_right = simd::in_register(simd::load(b + k * b_stride + simd::width));
    const float* const from = a.data + k * a.inner_step;
    simd::unroll<Rows>([&](auto r) TRANSEPT_ALWAYS_INLINE {
      const simd::batch value = simd::broadcast(from[r * a.row_step]);
      left[r] = simd::fma(value, b_left, left[r]);
      right[r] = simd::fma(value, b_right, right[r]);
    });
  }
  simd::unroll<Rows>([&](auto r) TRANSEPT_ALWAYS_INLINE {
    float* const to = c + r * c_stride;
    simd::store(to, add ? simd::load(to) + left[r] : left[r]);
    simd::store(to + simd::width, add ? simd::load(to + simd::width) + right[r] : right[r]);
  });
}

/// Terms [begin, end) of a sum.
struct inner_range {
  std::size_t begin, end;
};

/// c [rows, cols] (+)= a [rows, inner] · b [inner, cols], rows of b and c `b_stride` and `c_stride` apart;
/// cols is a multiple of small_tile_cols. terms_of(row, rows, col) is the range of the inner dimension that
/// counts for the tile of `rows` rows there; where it is empty, c stays as it is.
template <class TermsOf>
void small_product(strided a, std::size_t rows, const float* b, std::size_t b_stride, std::size_t cols,
                   float* c, std::size_t c_stride, bool add, TermsOf&& terms_of) {
  for (std::size_t j = 0; j < cols; j += small_tile_cols) {
    simd::in_tiles<small_tile_rows, 4>(rows, [&](std::size_t r, auto tile) {
      const inner_range terms = terms_of(r, tile, j);
      if (terms.begin >= terms.end) return;
      small_product_tile<tile>(
          {a.data + r * a.row_step + terms.begin * a.inner_step, a.row_step, a.inner_step},
          terms.end - terms.begin, b + terms.begin * b_stride + j, b_stride, c + r * c_stride + j, c_stride,
          add);
    });
  }
}

/// Σ a[i] · b[i].
inline float dot(const float* a, const float* b, std::size_t count) {
  simd::batch sum = simd::broadcast(0.0f);
  for (std::size_t i = 0; i < count; i += simd::width) {
    const std::size_t lanes = count - i < simd::width ? count - i : simd::width;
    sum = simd::fma(simd::load_lanes(a + i, lanes), simd::load_lanes(b + i, lanes), sum);
  }
  return simd::sum(sum);
}

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA::detail
