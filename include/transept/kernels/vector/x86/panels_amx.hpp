// Products with block-quantized weights (matmul_panels.hpp) on AMX's int8 products: sixteen rows of
// activations times a panel of sixteen outputs, block by block of 32 inputs. A block of a panel is a tile as
// it lies: 8 rows of 16 outputs × 4 inputs.
//
// The integer sums are exact and the f32 arithmetic on them is matmul_panels.hpp's, in its order, so results
// have the bits of every other machine's. That arithmetic (three vector operations for 16 outputs of a block)
// takes longer than the tile products: these run ahead of it by a group.
#pragma once

#include <cstddef>
#include <cstdint>

#include <transept/kernels/vector/panels.hpp>
#include <transept/kernels/vector/x86/amx.hpp>
#include <transept/simd/batch.hpp>
#include <transept/simd/unroll.hpp>

#if TRANSEPT_HAS_AMX

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA::amx {

/// Bytes of one block of a panel as int8.
inline constexpr std::size_t block_tile_bytes = block_length * panel_outputs;

/// tmm0 … tmm1 sums [16 rows][16 outputs], tmm4 … tmm5 activations [16 rows][32 inputs], tmm6 … tmm7 weights.
inline constexpr tile_sizes panel_tiles = [] {
  tile_sizes sizes;
  for (const std::size_t tile : {4u, 5u}) sizes.set(tile, tile_rows, block_length);
  for (const std::size_t tile : {6u, 7u}) sizes.set(tile, block_length / 4, tile_row_bytes);
  return sizes;
}();

/// Blocks of int8 lie as AMX takes them; those of four bits are unpacked into `space` [groups][2][512].
inline const std::int8_t* panel_values(const q8_group* panel, std::size_t, std::int8_t*) {
  return &panel->values[0][0][0][0];
}

template <class Group>
const std::int8_t* panel_values(const Group* panel, std::size_t groups, std::int8_t* space) {
  const __m512i nibble = _mm512_set1_epi8(15), eight = _mm512_set1_epi8(8);
  std::int8_t* to = space;
  for (std::size_t b = 0; b < groups * group_blocks; ++b, to += block_tile_bytes) {
    const auto& values = panel[b / group_blocks].values[b % group_blocks];
    simd::unroll<4>([&](auto v) TRANSEPT_ALWAYS_INLINE {
      const __m512i both = _mm512_load_si512(values[v]);
      const __m512i low = _mm512_and_si512(both, nibble);
      const __m512i high = _mm512_and_si512(_mm512_srli_epi16(both, 4), nibble);
      _mm512_store_si512(to + v * 64, _mm512_sub_epi8(low, eight));
      _mm512_store_si512(to + (4 + v) * 64, _mm512_sub_epi8(high, eight));
    });
  }
  return space;
}

/// From the values of one group to those of the next.
template <class Group>
inline constexpr std::size_t group_stride = group_blocks* block_tile_bytes;
template <>
inline constexpr std::size_t group_stride<q8_group> = sizeof(q8_group);

/// The integer sums of one group's two blocks.
using group_sums = std::int32_t[group_blocks][tile_rows][panel_outputs];

inline void multiply_group(const std::int8_t* x, std::size_t x_stride, const std::int8_t* w,
                           group_sums& sums) {
  _tile_zero(0);
  _tile_zero(1);
  _tile_loadd(6, w, tile_row_bytes);
  _tile_loadd(4, x, x_stride);
  _tile_dpbssd(0, 4, 6);
  _tile_loadd(7, w + block_tile_bytes, tile_row_bytes);
  _tile_loadd(5, x + block_length, x_stride);
  _tile_dpbssd(1, 5, 7);
  _tile_stored(0, sums[0], tile_row_bytes);
  _tile_stored(1, sums[1], tile_row_bytes);
}

/// y [16 rows][16 outputs] = the products of 16 rows of x with a panel. x [16, blocks, 32], scales and sums
/// [16, blocks]; `w` as panel_values gives them. Within a tile_scope of panel_tiles.
template <class Group>
void multiply_panel(const std::int8_t* x, const float* x_scales, [[maybe_unused]] const std::int32_t* x_sums,
                    const Group* panel, const std::int8_t* w, std::size_t groups, float (*y)[panel_outputs]) {
  static_assert(simd::width == panel_outputs);
  const std::size_t blocks = groups * group_blocks;
  const std::size_t x_stride = blocks * block_length;
  alignas(64) group_sums sums[2];
  simd::batch totals[tile_rows];
  simd::unroll<tile_rows>([&](auto r) TRANSEPT_ALWAYS_INLINE { totals[r] = simd::broadcast(0.0f); });
  multiply_group(x, x_stride, w, sums[0]);
  for (std::size_t g = 0; g < groups; ++g) {
    if (g + 1 < groups)
      multiply_group(x + (g + 1) * group_inputs, x_stride, w + (g + 1) * group_stride<Group>,
                     sums[(g + 1) % 2]);
    simd::unroll<group_blocks>([&](auto half) TRANSEPT_ALWAYS_INLINE {
      const simd::batch scales = scales_of(panel[g], half, 0);
      [[maybe_unused]] simd::batch offsets = scales;
      if constexpr (has_offsets<Group>) offsets = offsets_of(panel[g], half, 0, scales);
      const std::size_t b = g * group_blocks + half;
      simd::unroll<tile_rows>([&](auto r) TRANSEPT_ALWAYS_INLINE {
        const simd::batch whole = simd::to_float(sums[g % 2][half][r]);
        const float x_scale = x_scales[b + r * blocks];
        totals[r] = simd::fma(whole, scales * simd::broadcast(x_scale), totals[r]);
        if constexpr (has_offsets<Group>)
          totals[r] = simd::fma(
              offsets, simd::broadcast(x_scale * static_cast<float>(x_sums[b + r * blocks])), totals[r]);
      });
    });
  }
  simd::unroll<tile_rows>([&](auto r) TRANSEPT_ALWAYS_INLINE { simd::store(y[r], totals[r]); });
}

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA::amx

#endif
