// What kernels/quantize.hpp declares, computed by vectors.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

#include <transept/core/blocks.hpp>
#include <transept/core/element_type.hpp>
#include <transept/kernels/quantize.hpp>
#include <transept/kernels/vector/operands.hpp>
#include <transept/kernels/vector/panels.hpp>
#include <transept/runtime/thread_pool.hpp>
#include <transept/simd/batch.hpp>
#include <transept/simd/unroll.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

/// Sixteen blocks side by side: x[i][o] is number i of block o.
struct block_tile {
  alignas(64) float x[block_length][panel_outputs];
};

namespace detail {

/// A batch for each of the lanes of a tile.
inline constexpr std::size_t tile_parts = panel_outputs / simd::width;
using tile_lanes = std::array<float, panel_outputs>;

/// The element of greatest magnitude of each block. Blocks that have a NaN or an infinity are zeroed, and get
/// a NaN here.
inline tile_lanes most_extreme(block_tile& tile) {
  alignas(64) tile_lanes most, probes;
  simd::unroll<tile_parts>([&](auto part) TRANSEPT_ALWAYS_INLINE {
    constexpr std::size_t o = part * simd::width;
    simd::batch extreme = simd::broadcast(0.0f), probe = extreme; // the probe becomes NaN
    for (const auto& row : tile.x) {
      const simd::batch x = simd::load(row + o);
      probe = simd::fma(x, simd::broadcast(0.0f), probe);
      extreme = simd::select_greater(simd::abs(x), simd::abs(extreme), x, extreme);
    }
    simd::store(most.data() + o, extreme);
    simd::store(probes.data() + o, probe);
  });
  for (std::size_t o = 0; o < panel_outputs; ++o) {
    if (probes[o] == 0.0f) continue;
    most[o] = std::numeric_limits<float>::quiet_NaN();
    for (auto& row : tile.x) row[o] = 0.0f;
  }
  return most;
}

/// What rounds to an f16 that is not finite becomes NaN.
inline f16 block_scale(float scale) {
  const f16 stored = to_f16(scale);
  return std::isfinite(to_float(stored)) ? stored : transept::detail::not_a_number;
}

/// 1 / scale; 0 for blocks that are zero. (Those that are NaN have no numbers left.)
inline simd::batch inverse_of(simd::batch scale) {
  const simd::batch zero = simd::broadcast(0.0f);
  return simd::select_greater(simd::abs(scale), zero, simd::broadcast(1.0f) / scale, zero);
}

/// nearest(x · inverse) in [least, most].
inline simd::int_batch quantized(simd::batch x, simd::batch inverse, std::int32_t least, std::int32_t most) {
  return simd::clamp(simd::nearest_product(x, inverse), least, most);
}

} // namespace detail

/// Quantizes a tile into half `b` (< 2) of a group; the tile's numbers may be lost.
inline void quantize(block_tile& tile, q8_group& group, std::size_t b) {
  const detail::tile_lanes most = detail::most_extreme(tile);
  for (std::size_t o = 0; o < panel_outputs; ++o)
    group.scales[b][o] = detail::block_scale(std::abs(most[o]) / 127.0f);
  simd::unroll<detail::tile_parts>([&](auto part) TRANSEPT_ALWAYS_INLINE {
    constexpr std::size_t o = part * simd::width;
    const simd::batch inverse = detail::inverse_of(simd::load(group.scales[b].data() + o));
    for (std::size_t v = 0; v < block_length / 4; ++v) {
      const auto byte = [&](std::size_t i) TRANSEPT_ALWAYS_INLINE {
        return detail::quantized(simd::load(tile.x[4 * v + i] + o), inverse, -127, 127) &
               simd::int_batch(255);
      };
      simd::store_bits(group.values[b][v][o], byte(0) | (byte(1) << 8) | (byte(2) << 16) | (byte(3) << 24));
    }
  });
}

inline void quantize(block_tile& tile, q4_group& group, std::size_t b) {
  // −8 uses all sixteen values for the most extreme number's side, 7 the other's.
  constexpr std::array<float, 14> steps = {-8.0f, -7.5f, -7.0f, -8.5f, -9.0f, -9.5f, -6.5f,
                                           7.0f,  7.5f,  8.0f,  8.5f,  6.5f,  6.0f,  -6.0f};
  const detail::tile_lanes most = detail::most_extreme(tile);
  alignas(64) detail::tile_lanes least, chosen{};
  least.fill(std::numeric_limits<float>::infinity());
  for (const float step : steps) {
    simd::batch scale[detail::tile_parts], inverse[detail::tile_parts], error[detail::tile_parts];
    simd::unroll<detail::tile_parts>([&](auto part) TRANSEPT_ALWAYS_INLINE {
      const simd::batch extreme = simd::load(most.data() + part * simd::width);
      scale[part] = simd::nearest_f16(extreme / simd::broadcast(step));
      inverse[part] = detail::inverse_of(scale[part]);
      error[part] = simd::broadcast(0.0f);
    });
    for (const auto& row : tile.x) {
      simd::unroll<detail::tile_parts>([&](auto part) TRANSEPT_ALWAYS_INLINE {
        const simd::batch x = simd::load(row + part * simd::width);
        const simd::batch q = simd::to_float(detail::quantized(x, inverse[part], -8, 7));
        const simd::batch difference = simd::fma(-scale[part], q, x);
        error[part] = simd::fma(difference, difference, error[part]);
      });
    }
    simd::unroll<detail::tile_parts>([&](auto part) TRANSEPT_ALWAYS_INLINE {
      float* const least_yet = least.data() + part * simd::width;
      float* const chosen_yet = chosen.data() + part * simd::width;
      const simd::batch before = simd::load(least_yet);
      simd::store(chosen_yet, simd::select_greater(before, error[part], scale[part], simd::load(chosen_yet)));
      simd::store(least_yet, simd::select_greater(before, error[part], error[part], before));
    });
  }
  for (std::size_t o = 0; o < panel_outputs; ++o) {
    const bool fits = std::isfinite(to_float(to_f16(most[o] / 6.0f))); // then every step above does
    group.scales[b][o] = fits ? to_f16(chosen[o]) : transept::detail::not_a_number;
  }
  simd::unroll<detail::tile_parts>([&](auto part) TRANSEPT_ALWAYS_INLINE {
    constexpr std::size_t o = part * simd::width;
    const simd::batch inverse = detail::inverse_of(simd::load(group.scales[b].data() + o));
    for (std::size_t v = 0; v < block_length / 8; ++v) {
      const auto nibble = [&](std::size_t i) TRANSEPT_ALWAYS_INLINE {
        return detail::quantized(simd::load(tile.x[i] + o), inverse, -8, 7) + simd::int_batch(8);
      };
      const auto byte = [&](std::size_t i) TRANSEPT_ALWAYS_INLINE {
        return nibble(4 * v + i) | (nibble(4 * v + i + block_length / 2) << 4);
      };
      simd::store_bits(group.values[b][v][o], byte(0) | (byte(1) << 8) | (byte(2) << 16) | (byte(3) << 24));
    }
  });
}

namespace detail {

/// Calls `f` with std::type_identity of the group type of a type that numbers are quantized to.
template <class F>
void with_quantized_group(element_type type, F&& f) {
  if (type == element_type::q8_0) return f(std::type_identity<q8_group>{});
  if (type == element_type::q4_0) return f(std::type_identity<q4_group>{});
  transept::detail::refuse_block_type(type);
}

} // namespace detail

TRANSEPT_FUNCTION void quantize_blocks(element_type type, const float* x, std::size_t count, void* out) {
  detail::with_quantized_group(type, [&]<class Group>(std::type_identity<Group>) {
    for (std::size_t first = 0; first < count; first += panel_outputs) {
      const std::size_t some = std::min(panel_outputs, count - first);
      block_tile tile{};
      for (std::size_t o = 0; o < some; ++o)
        for (std::size_t i = 0; i < block_length; ++i) tile.x[i][o] = x[(first + o) * block_length + i];
      Group group;
      quantize(tile, group, 0);
      for (std::size_t o = 0; o < some; ++o) {
        const auto block = get_block(group, 0, o);
        std::memcpy(static_cast<std::byte*>(out) + (first + o) * sizeof block, &block, sizeof block);
      }
    }
  });
}

TRANSEPT_FUNCTION void quantize_panels(thread_pool& threads, stored_matrix w, bool outputs_are_rows,
                                       element_type type, void* packed) {
  const std::size_t inputs = outputs_are_rows ? w.cols : w.rows;
  const std::size_t outputs = outputs_are_rows ? w.rows : w.cols;
  const bool inputs_adjoin = outputs_are_rows == (w.layout == matrix_layout::row_major);
  const std::size_t groups = panel_groups(inputs);
  const std::size_t blocks = groups * group_blocks;
  detail::with_quantized_group(type, [&]<class Group>(std::type_identity<Group>) {
    with_element_type(w.type, [&]<class T>(T) {
      const T* const from = static_cast<const T*>(w.data);
      const auto quantize_one = [&](std::size_t panel, std::size_t b) {
        block_tile tile;
        const std::size_t output = panel * panel_outputs;
        const std::size_t first = b * block_length;
        const bool whole = output + panel_outputs <= outputs && first + block_length <= inputs;
        if (whole && inputs_adjoin) {
          for (std::size_t o = 0; o < panel_outputs; ++o)
            for (std::size_t i = 0; i < block_length; ++i)
              tile.x[i][o] = to_float(from[(output + o) * inputs + first + i]);
        } else if (whole) {
          for (std::size_t i = 0; i < block_length; ++i)
            for (std::size_t o = 0; o < panel_outputs; o += simd::width)
              simd::store(tile.x[i] + o, simd::load(from + (first + i) * outputs + output + o));
        } else {
          for (std::size_t i = 0; i < block_length; ++i) {
            for (std::size_t o = 0; o < panel_outputs; ++o) {
              const std::size_t at =
                  inputs_adjoin ? (output + o) * inputs + first + i : (first + i) * outputs + output + o;
              tile.x[i][o] = output + o < outputs && first + i < inputs ? to_float(from[at]) : 0.0f;
            }
          }
        }
        quantize(tile, static_cast<Group*>(packed)[panel * groups + b / group_blocks], b % group_blocks);
      };
      parallel_for(threads, panel_count(outputs), 1, [&](std::size_t begin, std::size_t end, int) {
        // In the order in which the numbers lie.
        if (inputs_adjoin) {
          for (std::size_t panel = begin; panel < end; ++panel)
            for (std::size_t b = 0; b < blocks; ++b) quantize_one(panel, b);
        } else {
          for (std::size_t b = 0; b < blocks; ++b)
            for (std::size_t panel = begin; panel < end; ++panel) quantize_one(panel, b);
        }
      });
    });
  });
}

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA
