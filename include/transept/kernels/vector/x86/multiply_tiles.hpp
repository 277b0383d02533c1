// Products of packed tiles of bf16 (tiled_operands.hpp), summed in f32, by either unit that has them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include <transept/core/element_type.hpp>
#include <transept/kernels/vector/prefetch.hpp>
#include <transept/kernels/vector/x86/amx.hpp>
#include <transept/kernels/vector/x86/tiled_operands.hpp>
#include <transept/simd/batch.hpp>
#include <transept/simd/unroll.hpp>

#if TRANSEPT_HAS_BF16_DOT

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA::tiles {

/// On AVX-512's dot products of pairs, with operands of one part.
struct dot_products {
  /// sums [rows rounded up to 8][32] = x · w, for tiles of up to 32 rows and of 32 outputs. Meanwhile the two
  /// strips of weights at `next` are fetched, a part by each pass over w.
  template <std::size_t Parts>
  void multiply(const bf16* x, const bf16* w, const bf16* next, const tiling& tiles, std::size_t rows,
                float* sums) const {
    static_assert(Parts == 1);
    const std::size_t passes = (rows + rows_at_once - 1) / rows_at_once;
    for (std::size_t pass = 0; pass < passes; ++pass) {
      const std::size_t r = pass * rows_at_once;
      multiply_rows(x + r / tile_rows * tiles.strip + r % tile_rows * tile_inner, w, tiles,
                    {kernels::detail::address_of(next, pass * 2 * tiles.strip / passes),
                     2 * kernels::detail::cache_line / passes},
                    sums + r * step_outputs);
    }
  }

private:
  static constexpr std::size_t rows_at_once = 8; // × 2 vectors of outputs: 16 sums, 10 loads for 16 products
  static_assert(tile_rows % rows_at_once == 0);

  static __m512bh pairs(__m512i bits) { return reinterpret_cast<__m512bh>(bits); }

  TRANSEPT_NOINLINE static void multiply_rows(const bf16* x, const bf16* w, const tiling& tiles,
                                              kernels::detail::paced_fetch next, float* to) {
    constexpr std::size_t vectors = step_outputs / tile_outputs;
    __m512 sums[rows_at_once * vectors];
    simd::unroll<rows_at_once * vectors>([&](auto i)
                                             TRANSEPT_ALWAYS_INLINE { sums[i] = _mm512_setzero_ps(); });
    const auto add = [&](std::size_t pair) TRANSEPT_ALWAYS_INLINE {
      kernels::detail::prefetch_line(next.address + pair * next.step);
      __m512i weights[vectors];
      simd::unroll<vectors>([&](auto v) TRANSEPT_ALWAYS_INLINE {
        weights[v] = simd::in_register(_mm512_load_si512(w + v * tiles.strip + pair * 2 * tile_outputs));
      });
      simd::unroll<rows_at_once>([&](auto r) TRANSEPT_ALWAYS_INLINE {
        std::int32_t both = 0;
        std::memcpy(&both, x + r * tile_inner + 2 * pair, sizeof both);
        const __m512i value = _mm512_set1_epi32(both);
        simd::unroll<vectors>([&](auto v) TRANSEPT_ALWAYS_INLINE {
          auto& sum = sums[r * vectors + v];
          sum = _mm512_dpbf16_ps(sum, pairs(value), pairs(weights[v]));
        });
      });
    };
    for (std::size_t step = 0; step < tiles.steps;
         ++step, x += tile_elements, w += tile_elements, next.address += tile_inner / 2 * next.step)
      for (std::size_t pair = 0; pair < tile_inner / 2; pair += 2)
        simd::unroll<2>([&](auto i) TRANSEPT_ALWAYS_INLINE { add(pair + i); });
    simd::unroll<rows_at_once * vectors>([&](auto i) TRANSEPT_ALWAYS_INLINE {
      _mm512_store_ps(to + i / vectors * step_outputs + i % vectors * tile_outputs, sums[i]);
    });
  }
};

#if TRANSEPT_HAS_AMX

/// On AMX, which its thread may use while this lives: each step multiplies 2 × 2 tiles, so that one tile is
/// loaded for each tile product.
class amx_products {
public:
  /// sums [rows rounded up to 16][32] = x · w, for tiles of up to 32 rows and of 32 outputs.
  template <std::size_t Parts>
  void multiply(const bf16* x, const bf16* w, const bf16*, const tiling& tiles, std::size_t rows,
                float* sums) const {
    amx::finish_stores(); // of packing
    if (rows > tile_rows)
      multiply_rows<2, Parts>(x, w, tiles, sums);
    else
      multiply_rows<1, Parts>(x, w, tiles, sums);
  }

private:
  /// tmm0 … tmm3 += x tiles tmm4, tmm5 × weight tiles tmm6, tmm7; with one row of tiles, tmm0 and tmm1.
  template <std::size_t RowTiles>
  static void multiply_step() {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    if constexpr (RowTiles == 2) {
      _tile_dpbf16ps(2, 5, 6);
      _tile_dpbf16ps(3, 5, 7);
    }
  }

  template <std::size_t RowTiles>
  static void load_x(const bf16* tiles, std::size_t strip) {
    _tile_loadd(4, tiles, tile_row_bytes);
    if constexpr (RowTiles == 2) _tile_loadd(5, tiles + strip, tile_row_bytes);
  }

  static void load_weights(const bf16* tiles, std::size_t strip) {
    _tile_loadd(6, tiles, tile_row_bytes);
    _tile_loadd(7, tiles + strip, tile_row_bytes);
  }

  template <std::size_t RowTiles, std::size_t Parts>
  static void multiply_rows(const bf16* x, const bf16* w, const tiling& tiles, float* sums) {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    const std::size_t strip = tiles.strip;
    for (std::size_t step = 0; step < tiles.steps; ++step) {
      const bf16* const x_tiles = x + step * Parts * tile_elements;
      const bf16* const w_tiles = w + step * Parts * tile_elements;
      load_weights(w_tiles, strip);
      if constexpr (Parts == 2) {
        load_x<RowTiles>(x_tiles + tile_elements, strip);
        multiply_step<RowTiles>(); // low · high
      }
      load_x<RowTiles>(x_tiles, strip);
      multiply_step<RowTiles>(); // high · high
      if constexpr (Parts == 2) {
        load_weights(w_tiles + tile_elements, strip);
        multiply_step<RowTiles>(); // high · low
      }
    }
    constexpr std::size_t row_bytes = step_outputs * sizeof(float);
    _tile_stored(0, sums, row_bytes);
    _tile_stored(1, sums + tile_outputs, row_bytes);
    if constexpr (RowTiles == 2) {
      _tile_stored(2, sums + tile_rows * step_outputs, row_bytes);
      _tile_stored(3, sums + tile_rows * step_outputs + tile_outputs, row_bytes);
    }
  }

  amx::tile_scope use_tiles_{amx::tile_sizes{}};
};

#endif

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA::tiles

#endif
