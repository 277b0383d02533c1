// Activations times block-quantized weights in panels (panels.hpp). Each row of activations is quantized to
// int8 in blocks of 32, as the weights are, so that the products are integers:
//
//   y[r, n] = Σ_b (d_x[r, b] · d_w[b, n]) · Σᵢ x[r, b, i] · w[b, i, n]        b ascending, i within block b
//
// and, where weights have a least number, e_w[b, n] · (d_x[r, b] · Σᵢ x[r, b, i]) after each (e_w is 8 · d_w
// less that number, since w is read less 8).
// (Dettmers et al., "LLM.int8()", 2022, does so by rows and columns.) Rounding the activations adds an error
// of at most max|x| / 254 of its block to each. The inner sums are exact, the outer ones one fma each, in one
// order: an output has the same bits whatever rows come with it and whichever thread computes it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <numeric>

#include <transept/kernels/vector/block_sums.hpp>
#include <transept/kernels/vector/operands.hpp>
#include <transept/kernels/vector/prefetch.hpp>
#include <transept/kernels/vector/x86/panels_amx.hpp>
#include <transept/runtime/compute_context.hpp>
#include <transept/simd/batch.hpp>
#include <transept/simd/unroll.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

/// Scratch memory that matmul takes from the workspace for quantized weights, at most.
constexpr std::size_t matmul_panels_scratch_bytes(std::size_t rows, std::size_t inputs, std::size_t threads) {
  const std::size_t blocks = panel_groups(inputs) * group_blocks;
  return workspace::room_for(rows * blocks * block_length / sizeof(float)) +
         2 * workspace::room_for(rows * blocks) +
         TRANSEPT_HAS_AMX * workspace::room_for<std::int8_t>(threads * blocks * block_length * panel_outputs);
}

namespace detail {

/// Panels that one thread reads side by side for one row; rows that share a panel, and panels that share
/// them: two where the registers hold the sums of as many, so that a broadcast of x serves two products.
inline constexpr std::size_t panel_streams = 4;
inline constexpr std::size_t panel_rows = 4;
inline constexpr std::size_t panels_of_rows = TRANSEPT_VNNI_BITS == 512 ? 2 : 1;
/// What each pass of such rows fetches of the next panels with every block, at most: all of them from three
/// passes on (of int4 from two).
inline constexpr std::size_t lines_a_block = 3;

/// Rows of quantized activations, in whole groups.
struct quantized_rows {
  std::int8_t* values; ///< [rows, blocks, 32]
  float* scales;       ///< [rows, blocks]
  std::int32_t* sums;  ///< [rows, blocks]: Σ values
  std::size_t blocks;

  /// Of the rows from r on.
  x_block block(std::size_t r, std::size_t b) const {
    return {values + (r * blocks + b) * block_length, sums + r * blocks + b, blocks};
  }
};

/// x [32] → values, their sum; returns the scale, max|x| / 127.
inline float quantize_block(const float* x, std::int8_t* values, std::int32_t& sum) {
  static_assert(block_length % simd::width == 0);
  simd::batch most = simd::broadcast(0.0f);
  for (std::size_t i = 0; i < block_length; i += simd::width) {
    const simd::batch part = simd::load(x + i);
    most = simd::max(most, simd::max(part, -part));
  }
  const float scale = simd::greatest(most) / 127.0f;
  // Of numbers so small that the inverse is infinite, zeros are kept.
  const simd::batch inverse = simd::broadcast(std::isfinite(1.0f / scale) ? 1.0f / scale : 0.0f);
  std::int32_t rounded[block_length];
  for (std::size_t i = 0; i < block_length; i += simd::width)
    simd::store_bits(rounded + i, simd::clamp(simd::nearest_product(simd::load(x + i), inverse), -127, 127));
  // Apart, so that GCC vectorises both.
  for (std::size_t i = 0; i < block_length; ++i) values[i] = static_cast<std::int8_t>(rounded[i]);
  sum = std::accumulate(rounded, rounded + block_length, 0);
  return scale;
}

/// Quantizes row r of x [rows, inputs]. A row with a NaN or an infinity gets scales of NaN, which the output
/// then shows.
inline void quantize_row(const float* x, std::size_t inputs, const quantized_rows& to, std::size_t r) {
  std::int8_t* const values = to.values + r * to.blocks * block_length;
  float* const scales = to.scales + r * to.blocks;
  std::int32_t* const sums = to.sums + r * to.blocks;
  simd::batch probe = simd::broadcast(0.0f); // becomes NaN
  for (std::size_t b = 0; b < to.blocks; ++b) {
    const std::size_t first = b * block_length;
    alignas(64) float padded[block_length] = {};
    const float* from = x + first;
    if (first + block_length > inputs) {
      if (first < inputs) std::copy_n(x + first, inputs - first, padded);
      from = padded;
    }
    for (std::size_t i = 0; i < block_length; i += simd::width)
      probe = simd::fma(simd::load(from + i), simd::broadcast(0.0f), probe);
    scales[b] = quantize_block(from, values + first, sums[b]);
  }
  if (simd::sum(probe) == 0.0f) return;
  std::fill_n(values, to.blocks * block_length, std::int8_t{0});
  std::fill_n(scales, to.blocks, std::numeric_limits<float>::quiet_NaN());
  std::fill_n(sums, to.blocks, 0);
}

/// totals [Panels][Rows][16] += the contributions of one block of each panel.
template <std::size_t Rows, std::size_t Panels, class Group>
TRANSEPT_ALWAYS_INLINE inline void add_blocks(const Group* const (&groups)[Panels], std::size_t half,
                                              const x_block& x, const float* x_scales,
                                              float (*totals)[Rows][panel_outputs]) {
  using values = std::remove_reference_t<decltype(groups[0]->values[half])>;
  values* of_panels[Panels];
  simd::unroll<Panels>([&](auto p) TRANSEPT_ALWAYS_INLINE { of_panels[p] = &groups[p]->values[half]; });
  alignas(64) output_sums sums[Panels][Rows];
  block_sums<Rows, Panels>(of_panels, x, sums);
  simd::unroll<Panels * panel_outputs / simd::width>([&](auto part) TRANSEPT_ALWAYS_INLINE {
    constexpr std::size_t p = part * simd::width / panel_outputs, o = part * simd::width % panel_outputs;
    const simd::batch scales = scales_of(*groups[p], half, o);
    [[maybe_unused]] simd::batch offsets = scales;
    if constexpr (has_offsets<Group>) offsets = offsets_of(*groups[p], half, o, scales);
    simd::unroll<Rows>([&](auto r) TRANSEPT_ALWAYS_INLINE {
      const simd::batch whole = simd::to_float(sums[p][r] + o);
      const float x_scale = x_scales[r * x.blocks];
      float* const to = totals[p][r] + o;
      simd::batch total = simd::fma(whole, scales * simd::broadcast(x_scale), simd::load(to));
      if constexpr (has_offsets<Group>)
        total = simd::fma(offsets, simd::broadcast(x_scale * static_cast<float>(x.row_sum(r))), total);
      simd::store(to, total);
    });
  });
}

/// y [16 outputs from n on, of which those below `outputs` exist] = epilogue(totals) without the activation.
inline void finish_panel(const float (&totals)[panel_outputs], float* y, std::size_t n, std::size_t outputs,
                         const epilogue& finish) {
  const std::size_t count = std::min(panel_outputs, outputs - n);
  for (std::size_t o = 0; o < count; o += simd::width)
    store_outputs(finish, simd::load(totals + o), y + n + o, n + o, std::min(simd::width, count - o));
}

/// One row of x times `Panels` panels, of which each follows `apart` panels behind the one before: as many
/// streams of memory.
template <std::size_t Panels, class Group>
void multiply_panels(const quantized_rows& x, std::size_t r, const Group* w, std::size_t groups,
                     std::size_t apart, float* y, std::size_t n, std::size_t outputs,
                     const epilogue& finish) {
  constexpr std::size_t distance = (1024 + sizeof(Group) - 1) / sizeof(Group) * sizeof(Group);
  constexpr std::size_t lines = (sizeof(Group) / 64 + 1) / group_blocks; // to fetch with each block
  alignas(64) float totals[Panels][1][panel_outputs] = {};
  for (std::size_t g = 0; g < groups; ++g) {
    for (std::size_t half = 0; half < group_blocks; ++half) {
      const x_block block = x.block(r, g * group_blocks + half);
      const float* const scale = x.scales + r * x.blocks + g * group_blocks + half;
      simd::unroll<Panels>([&](auto p) TRANSEPT_ALWAYS_INLINE {
        const Group* const group = w + p * apart * groups + g;
        simd::unroll<lines>([&](auto line) TRANSEPT_ALWAYS_INLINE {
          prefetch(reinterpret_cast<const std::byte*>(group), distance + (half * lines + line) * 64);
        });
        add_blocks<1, 1>({group}, half, block, scale, &totals[p]);
      });
    }
  }
  for (std::size_t p = 0; p < Panels; ++p) {
    const std::size_t at = n + p * apart * panel_outputs;
    finish_panel(totals[p][0], y, at, outputs, finish);
    activate_outputs(finish, y + at, std::min(panel_outputs, outputs - at));
  }
}

/// `Rows` rows of x from r on times `Panels` panels that follow each other. Meanwhile each block fetches what
/// is at `next`, in as many panels.
template <std::size_t Rows, std::size_t Panels, class Group>
void multiply_rows(const quantized_rows& x, std::size_t r, const Group* w, std::size_t groups,
                   paced_fetch next, float* y, std::size_t n, std::size_t outputs, const epilogue& finish) {
  const std::size_t count = std::min(Panels * panel_outputs, outputs - n);
  y += r * outputs;
  fetch_to_write(y + n, Rows, outputs, count);
  alignas(64) float totals[Panels][Rows][panel_outputs] = {};
  x_block block = x.block(r, 0);
  const float* scales = x.scales + r * x.blocks;
  for (const Group* const end = w + groups; w != end; ++w) {
    const Group* of_panels[Panels];
    simd::unroll<Panels>([&](auto p) TRANSEPT_ALWAYS_INLINE { of_panels[p] = w + p * groups; });
    simd::unroll<group_blocks>([&](auto half) TRANSEPT_ALWAYS_INLINE {
      simd::unroll<Panels * lines_a_block>([&](auto i) TRANSEPT_ALWAYS_INLINE {
        prefetch_line(next.address + i / lines_a_block * groups * sizeof(Group) +
                      i % lines_a_block * cache_line);
      });
      add_blocks<Rows, Panels>(of_panels, half, block, scales, totals);
      block.values += block_length;
      ++block.sum;
      ++scales;
      next.address += next.step;
    });
  }
  for (std::size_t p = 0; p < Panels; ++p)
    for (std::size_t i = 0; i < Rows; ++i)
      finish_panel(totals[p][i], y + i * outputs, n + p * panel_outputs, outputs, finish);
  activate_outputs(finish, y + n, Rows, outputs, count);
}

#if TRANSEPT_HAS_AMX

/// The products of rows 0 … rows - 1, whole tiles of them, with the panels from `begin` to `end`, on AMX.
/// `space` has room for a panel of int8.
template <class Group>
void multiply_rows_amx(const quantized_rows& x, std::size_t rows, const Group* w, std::size_t begin,
                       std::size_t end, float* y, std::size_t outputs, const epilogue& finish,
                       std::int8_t* space) {
  const amx::tile_scope use_tiles(amx::panel_tiles);
  const std::size_t groups = x.blocks / group_blocks;
  for (std::size_t p = begin; p < end; ++p) {
    const Group* const panel = w + p * groups;
    const std::int8_t* const values = amx::panel_values(panel, groups, space);
    amx::finish_stores();
    for (std::size_t r = 0; r < rows; r += amx::tile_rows) {
      alignas(64) float totals[amx::tile_rows][panel_outputs];
      amx::multiply_panel(x.values + r * x.blocks * block_length, x.scales + r * x.blocks,
                          x.sums + r * x.blocks, panel, values, groups, totals);
      for (std::size_t i = 0; i < amx::tile_rows; ++i)
        finish_panel(totals[i], y + (r + i) * outputs, p * panel_outputs, outputs, finish);
      const std::size_t n = p * panel_outputs;
      activate_outputs(finish, y + r * outputs + n, amx::tile_rows, outputs,
                       std::min(panel_outputs, outputs - n));
    }
  }
}

#endif

/// y [rows, outputs] = epilogue(x [rows, inputs] · w), w packed.
template <class Group>
void matmul_panels(compute_context& context, rows_of_floats x, const Group* w, std::size_t outputs, float* y,
                   const epilogue& finish) {
  workspace::scope scope(context.memory);
  const std::size_t groups = panel_groups(x.cols);
  const std::size_t blocks = groups * group_blocks;
  const quantized_rows quantized{
      .values = reinterpret_cast<std::int8_t*>(scope.floats(x.rows * blocks * block_length / sizeof(float))),
      .scales = scope.floats(x.rows * blocks),
      .sums = reinterpret_cast<std::int32_t*>(scope.floats(x.rows * blocks)),
      .blocks = blocks};
  std::size_t on_amx = 0; // rows that are whole tiles
#if TRANSEPT_HAS_AMX
  if (amx::available()) on_amx = x.rows / amx::tile_rows * amx::tile_rows;
  const std::size_t panel_size = blocks * block_length * panel_outputs;
  auto* const space = reinterpret_cast<std::int8_t*>(
      scope.floats(static_cast<std::size_t>(context.threads.size()) * panel_size / sizeof(float)));
#endif
  parallel_for(context.threads, x.rows, panel_rows, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t r = begin; r < end; ++r) quantize_row(x.row(r), x.cols, quantized, r);
  });
  parallel_for(context.threads, panel_count(outputs), panel_streams,
               [&](std::size_t begin, std::size_t end, [[maybe_unused]] int thread) {
                 std::size_t p = begin;
#if TRANSEPT_HAS_AMX
                 if (on_amx != 0)
                   multiply_rows_amx(quantized, on_amx, w, begin, end, y, outputs, finish,
                                     space + static_cast<std::size_t>(thread) * panel_size);
#endif
                 if (x.rows == 1) {
                   fetch(quantized.values, blocks * block_length);
                   fetch(quantized.scales, blocks);
                   fetch(quantized.sums, blocks);
                   const std::size_t apart = (end - begin) / panel_streams;
                   for (; p < begin + apart; ++p)
                     multiply_panels<panel_streams>(quantized, 0, w + p * groups, groups, apart, y,
                                                    p * panel_outputs, outputs, finish);
                   p = begin + panel_streams * apart;
                 }
                 const std::size_t rows = x.rows - on_amx, passes = (rows + panel_rows - 1) / panel_rows;
                 simd::in_tiles<panels_of_rows>(end - p, [&](std::size_t at, auto panels) {
                   const Group* const panel = w + (p + at) * groups;
                   simd::in_tiles<panel_rows>(rows, [&](std::size_t r, auto tile) {
                     // The first rows that pass would wait for memory while the others do not use it.
                     const bool more = p + at + panels < end;
                     const std::size_t part = more ? groups * sizeof(Group) / passes : 0;
                     const paced_fetch next{address_of(panel, more ? panels * groups : 0) +
                                                r / panel_rows * part,
                                            part / blocks};
                     multiply_rows<tile, panels>(quantized, on_amx + r, panel, groups, next, y,
                                                 (p + at) * panel_outputs, outputs, finish);
                   });
                 });
               });
}

} // namespace detail

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA
