// Activations times weights of f32, f16 or bf16 in panels (float_panels.hpp): y[r, n] = Σₖ x[r, k] · w[k, n],
// k ascending, one fma each, as for weights that lie by inputs; so the bits are those of that layout.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <transept/kernels/vector/float_panels.hpp>
#include <transept/kernels/vector/operands.hpp>
#include <transept/kernels/vector/packing.hpp>
#include <transept/kernels/vector/prefetch.hpp>
#include <transept/kernels/vector/product.hpp>
#include <transept/kernels/vector/product_tile.hpp>
#include <transept/runtime/compute_context.hpp>
#include <transept/simd/batch.hpp>
#include <transept/simd/unroll.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

/// Scratch memory that matmul takes from the workspace for panels of floating-point weights, at most;
/// `outputs`: of products that add to their output.
constexpr std::size_t matmul_float_panels_scratch_bytes(std::size_t rows, std::size_t inputs,
                                                        std::size_t outputs) {
  return workspace::room_for(rows * inputs) + workspace::room_for(rows * outputs);
}

namespace detail {

inline constexpr std::size_t panel_batches = panel_outputs / simd::width;
/// Panels that one thread reads side by side for one row: four, or as many as have eight sums.
inline constexpr std::size_t float_panel_streams = std::min<std::size_t>(4, 8 / panel_batches);
/// Panels that a tile of several rows takes side by side: two vectors of outputs, so that a broadcast of x
/// serves two multiply-adds.
inline constexpr std::size_t tile_panels = std::max<std::size_t>(1, 2 / panel_batches);
/// Rows that share the weights of a panel as they are widened: as many as the registers hold sums of.
inline constexpr std::size_t float_panel_rows =
    std::max<std::size_t>(2, (simd::registers == 32 ? 24 : 12) / (tile_panels * panel_batches));
/// What is left of 16 rows: pairs of rows are too few to keep the multiply-adds busy.
inline constexpr std::size_t few_panel_rows = std::min<std::size_t>(4, float_panel_rows);
/// Rows of x of which a block of inputs, 192 KiB, stays in the second-level cache while panels pass. (The
/// same block of a panel stays in the first-level cache while they pass it.)
inline constexpr std::size_t panel_block_rows = 192;
/// Bytes to fetch ahead in each panel.
inline constexpr std::size_t panel_distance = 1024;

/// Begins to fetch a pair of inputs of a panel.
template <class T>
TRANSEPT_ALWAYS_INLINE inline void prefetch_pair(std::uintptr_t address) {
  for (std::size_t i = 0; i < 2 * panel_outputs * sizeof(T); i += cache_line) prefetch_line(address + i);
}

/// One row of x times `Panels` panels.
template <std::size_t Panels, class T>
void multiply_float_panels(const float* x, std::size_t inner, const T* w, float* y, std::size_t n,
                           std::size_t outputs, const epilogue& finish) {
  const std::size_t panel_size = float_panel_size(inner);
  simd::batch sums[Panels * panel_batches];
  simd::unroll<Panels * panel_batches>([&](auto i) { sums[i] = simd::broadcast(0.0f); });
  const auto add = [&](auto input, std::size_t k) TRANSEPT_ALWAYS_INLINE { // k even
    const simd::batch value = simd::broadcast(x[k + input]);
    simd::unroll<Panels * panel_batches>([&](auto i) TRANSEPT_ALWAYS_INLINE {
      const T* const pair = w + i / panel_batches * panel_size + k * panel_outputs;
      sums[i] = simd::fma(value, load_of_pair<input>(pair, i % panel_batches * simd::width), sums[i]);
    });
  };
  std::size_t k = 0;
  for (; k + 2 <= inner; k += 2) {
    simd::unroll<Panels>([&](auto p) TRANSEPT_ALWAYS_INLINE {
      prefetch_pair<T>(address_of(w + p * panel_size + k * panel_outputs, 0) + panel_distance);
    });
    simd::unroll<2>([&](auto input) TRANSEPT_ALWAYS_INLINE { add(input, k); });
  }
  if (k < inner) add(std::integral_constant<std::size_t, 0>{}, k);
  simd::unroll<Panels * panel_batches>([&](auto i) {
    const std::size_t at = n + i * simd::width;
    if (at < outputs) store_outputs(finish, sums[i], y + at, at, std::min(simd::width, outputs - at));
  });
  activate_outputs(finish, y + n, std::min(Panels * panel_outputs, outputs - n));
}

/// to [Rows, 16 Panels] = from + rows of x, packed as [inner][Rows], · inputs of as many panels, `panel_size`
/// apart, the first of which is even.
template <std::size_t Rows, std::size_t Panels, class T>
TRANSEPT_NOINLINE void multiply_panel_rows(const float* x, const T* panels, std::size_t panel_size,
                                           std::size_t inner, paced_fetch next, const float* from,
                                           std::size_t from_stride, float* to, std::size_t to_stride) {
  constexpr std::size_t batches = Panels * panel_batches;
  simd::batch sums[Rows * batches];
  simd::unroll<Rows * batches>([&](auto i) TRANSEPT_ALWAYS_INLINE {
    sums[i] = simd::load(from + i / batches * from_stride + i % batches * simd::width);
  });
  const auto add = [&](auto input, std::size_t pair) TRANSEPT_ALWAYS_INLINE {
    simd::batch weights[batches];
    simd::unroll<batches>([&](auto b) TRANSEPT_ALWAYS_INLINE {
      const T* const inputs = panels + b / panel_batches * panel_size + 2 * pair * panel_outputs;
      weights[b] = simd::in_register(load_of_pair<input>(inputs, b % panel_batches * simd::width));
    });
    simd::unroll<Rows>([&](auto r) TRANSEPT_ALWAYS_INLINE {
      const simd::batch value = simd::broadcast(x[(2 * pair + input) * Rows + r]);
      simd::unroll<batches>([&](auto b) TRANSEPT_ALWAYS_INLINE {
        auto& sum = sums[r * batches + b];
        sum = simd::fma(value, weights[b], sum);
      });
    });
  };
  constexpr std::size_t pairs = TRANSEPT_HAS_FMA ? 2 : 1; // as multiply_strips has it
  std::size_t k = 0;
  for (; k + 2 * pairs <= inner; k += 2 * pairs) {
    simd::unroll<pairs>([&](auto pair) TRANSEPT_ALWAYS_INLINE {
      simd::unroll<Panels>([&](auto p) TRANSEPT_ALWAYS_INLINE {
        prefetch_pair<T>(next.address + pair * next.step + p * panel_size * sizeof(T));
      });
      simd::unroll<2>([&](auto input) TRANSEPT_ALWAYS_INLINE { add(input, pair); });
    });
    x += 2 * pairs * Rows;
    panels += 2 * pairs * panel_outputs;
    next.address += pairs * next.step;
  }
  for (; k < inner; k += 2, x += 2 * Rows, panels += 2 * panel_outputs) {
    add(std::integral_constant<std::size_t, 0>{}, 0);
    if (k + 1 < inner) add(std::integral_constant<std::size_t, 1>{}, 0);
  }
  simd::unroll<Rows * batches>([&](auto i) TRANSEPT_ALWAYS_INLINE {
    simd::store(to + i / batches * to_stride + i % batches * simd::width, sums[i]);
  });
}

/// Rows of x a tile at a time, as multiply_panel_rows takes them, for a block of inputs after the other:
/// those of the tile at row r and of the block at k lie at k · rows + r · the block's inputs.
inline const float* pack_rows(compute_context& context, workspace::scope& scope, rows_of_floats x) {
  constexpr std::size_t rows_a_part = 48 / float_panel_rows * float_panel_rows;
  float* const packed = scope.floats(x.rows * x.cols);
  parallel_for(context.threads, x.rows, rows_a_part, [&](std::size_t begin, std::size_t end, int) {
    simd::in_tiles<float_panel_rows, few_panel_rows, 2>(end - begin, [&](std::size_t i, auto tile) {
      const std::size_t r = begin + i;
      for (std::size_t k = 0; k < x.cols; k += block_inner) {
        const std::size_t inner = std::min(block_inner, x.cols - k);
        pack_across<tile>(x.row(r) + k, x.cols, inner, packed + k * x.rows + r * inner);
      }
    });
  });
  return packed;
}

/// Where sums that another block of inputs will continue are kept: y, unless y still holds the residual.
inline float* room_for_unfinished_sums(workspace::scope& scope, rows_of_floats x, std::size_t outputs,
                                       float* y, const epilogue& finish) {
  return finish.add_to_output && x.cols > block_inner ? scope.floats(x.rows * outputs) : y;
}

/// y [rows, outputs] = epilogue(x [rows, inner] · w), w in panels.
template <class T>
void matmul_float_panels(compute_context& context, rows_of_floats x, const T* w, std::size_t outputs,
                         float* y, const epilogue& finish) {
  const std::size_t panel_size = float_panel_size(x.cols);
  if (x.rows == 1)
    return parallel_for(context.threads, panel_count(outputs), float_panel_streams,
                        [&](std::size_t begin, std::size_t end, int) {
                          fetch(x.row(0), x.cols);
                          simd::in_tiles<float_panel_streams>(end - begin, [&](std::size_t p, auto panels) {
                            multiply_float_panels<panels>(x.row(0), x.cols, w + (begin + p) * panel_size, y,
                                                          (begin + p) * panel_outputs, outputs, finish);
                          });
                        });
  workspace::scope scope(context.memory);
  float* const sums = room_for_unfinished_sums(scope, x, outputs, y, finish);
  const float* const packed = pack_rows(context, scope, x);
  parallel_for(
      context.threads, panel_count(outputs), tile_panels, [&](std::size_t begin, std::size_t end, int) {
        const std::size_t n0 = begin * panel_outputs, n1 = std::min(end * panel_outputs, outputs);
        for (std::size_t k0 = 0; k0 < x.cols; k0 += block_inner) {
          const std::size_t inner = std::min(block_inner, x.cols - k0);
          const bool first = k0 == 0, last = k0 + inner == x.cols;
          for (std::size_t r0 = 0; r0 < x.rows; r0 += panel_block_rows) {
            const std::size_t rows = std::min(panel_block_rows, x.rows - r0);
            const std::size_t passes = (rows + float_panel_rows - 1) / float_panel_rows;
            float* const to = (last ? y : sums) + r0 * outputs;
            const auto fetch_tile = [&](std::size_t r, std::size_t n) {
              fetch_to_write(to + r * outputs + n, std::min(float_panel_rows, rows - r), outputs,
                             std::min(tile_panels * panel_outputs, n1 - n));
            };
            simd::in_tiles<tile_panels>(end - begin, [&](std::size_t p, auto panels) {
              constexpr std::size_t cols = panels * panel_outputs;
              const std::size_t n = n0 + p * panel_outputs;
              const bool more = n + cols < n1;
              const T* const panel = w + (begin + p) * panel_size + k0 * panel_outputs;
              // Panels are read from memory by the first rows that pass. Where few pass, each fetches its
              // part of the next panels, so that none waits for memory while the others do not use it.
              const auto fetching = [&](std::size_t r) -> paced_fetch {
                constexpr std::size_t pair = 2 * panel_outputs * sizeof(T);
                if (passes == 1 || !more) return {address_of(panel, 0) + panel_distance, pair};
                return {address_of(panel, panels * panel_size + r * inner / rows * panel_outputs),
                        pair / passes};
              };
              simd::in_tiles<float_panel_rows, few_panel_rows, 2>(rows, [&](std::size_t r, auto tile) {
                if (r + tile < rows)
                  fetch_tile(r + tile, n);
                else if (more)
                  fetch_tile(0, n + cols);
                const std::size_t at = r * outputs + n;
                compute_tile<tile, cols>(
                    {first ? nullptr : sums + r0 * outputs + at, to + at, outputs, tile,
                     std::min(cols, n1 - n), last ? &finish : nullptr, n},
                    [&](const float* from, std::size_t from_stride, float* its, std::size_t its_stride) {
                      multiply_panel_rows<tile, panels>(packed + k0 * x.rows + (r0 + r) * inner, panel,
                                                        panel_size, inner, fetching(r), from, from_stride,
                                                        its, its_stride);
                    });
              });
            });
          }
        }
        activate_outputs(finish, y + n0, x.rows, outputs, n1 - n0);
      });
}

} // namespace detail

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA
