// How panels of blocks (kernels/panels.hpp) are packed and read.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <type_traits>

#include <transept/kernels/panels.hpp>
#include <transept/kernels/vector/float_panels.hpp>
#include <transept/simd/batch.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

/// Puts one block of output o (< 16) into half b (< 2) of a group.
inline void set_block(q8_group& group, std::size_t b, std::size_t o, const q8_0_block& block) {
  group.scales[b][o] = block.scale;
  for (std::size_t v = 0; v < 8; ++v) std::memcpy(group.values[b][v][o], block.values.data() + 4 * v, 4);
}

inline void set_block(q4_group& group, std::size_t b, std::size_t o, const q4_0_block& block) {
  group.scales[b][o] = block.scale;
  for (std::size_t v = 0; v < 4; ++v) std::memcpy(group.values[b][v][o], block.values.data() + 4 * v, 4);
}

inline void set_block(q4_k_group& group, std::size_t b, std::size_t o, const q4_k_block& block) {
  group.scale[o] = block.scale;
  group.least[o] = block.least;
  group.factors[b][o] = static_cast<std::int8_t>(block.factor);
  group.offsets[b][o] = static_cast<std::int8_t>(block.offset);
  for (std::size_t v = 0; v < 4; ++v) std::memcpy(group.values[b][v][o], block.values.data() + 4 * v, 4);
}

/// The block back.
inline q8_0_block get_block(const q8_group& group, std::size_t b, std::size_t o) {
  q8_0_block block;
  block.scale = group.scales[b][o];
  for (std::size_t v = 0; v < 8; ++v) std::memcpy(block.values.data() + 4 * v, group.values[b][v][o], 4);
  return block;
}

inline q4_0_block get_block(const q4_group& group, std::size_t b, std::size_t o) {
  q4_0_block block;
  block.scale = group.scales[b][o];
  for (std::size_t v = 0; v < 4; ++v) std::memcpy(block.values.data() + 4 * v, group.values[b][v][o], 4);
  return block;
}

inline q4_k_block get_block(const q4_k_group& group, std::size_t b, std::size_t o) {
  q4_k_block block;
  block.scale = group.scale[o];
  block.least = group.least[o];
  block.factor = static_cast<std::uint8_t>(group.factors[b][o]);
  block.offset = static_cast<std::uint8_t>(group.offsets[b][o]);
  for (std::size_t v = 0; v < 4; ++v) std::memcpy(block.values.data() + 4 * v, group.values[b][v][o], 4);
  return block;
}

/// What the weights of outputs o, o + 1, … of half b are multiples of.
template <class Group>
TRANSEPT_ALWAYS_INLINE inline simd::batch scales_of(const Group& group, std::size_t b, std::size_t o) {
  return simd::load(group.scales[b].data() + o);
}

TRANSEPT_ALWAYS_INLINE inline simd::batch scales_of(const q4_k_group& group, std::size_t b, std::size_t o) {
  return simd::load(group.scale.data() + o) * simd::load(group.factors[b] + o);
}

/// Whether weights are multiples of their scales and something more, the same for all of a block.
template <class Group>
inline constexpr bool has_offsets = std::is_same_v<Group, q4_k_group>;

/// What more, where the multiples are those of q − 8.
TRANSEPT_ALWAYS_INLINE inline simd::batch offsets_of(const q4_k_group& group, std::size_t b, std::size_t o,
                                                     simd::batch scales) {
  const simd::batch least = simd::load(group.least.data() + o) * simd::load(group.offsets[b] + o);
  return simd::fma(scales, simd::broadcast(8.0f), -least);
}

TRANSEPT_FUNCTION void pack_panels(thread_pool& threads, element_type type, const void* blocks,
                                   std::size_t inputs, std::size_t outputs, void* packed) {
  with_group_type(type, [&]<class Group>(std::type_identity<Group>) {
    using block_type = typename Group::block;
    const std::size_t groups = panel_groups(inputs), row = (inputs + block_length - 1) / block_length;
    parallel_for(threads, panel_count(outputs), 1, [&](std::size_t begin, std::size_t end, int) {
      for (std::size_t panel = begin; panel < end; ++panel) {
        Group* const to = static_cast<Group*>(packed) + panel * groups;
        std::fill_n(to, groups, Group{});
        const std::size_t first = panel * panel_outputs, rest = std::min(panel_outputs, outputs - first);
        for (std::size_t b = 0; b < row; ++b)
          for (std::size_t o = 0; o < rest; ++o) {
            block_type block;
            std::memcpy(&block,
                        static_cast<const std::byte*>(blocks) + ((first + o) * row + b) * sizeof block,
                        sizeof block);
            set_block(to[b / group_blocks], b % group_blocks, o, block);
          }
      }
    });
  });
}

/// y [inputs] = the numbers of one output.
inline void read_panel_output(element_type type, const void* packed, std::size_t inputs, std::size_t output,
                              float* y) {
  if (!is_block_type(type)) return read_float_panel_output(type, packed, inputs, output, y);
  with_group_type(type, [&]<class Group>(std::type_identity<Group>) {
    const Group* const panel =
        static_cast<const Group*>(packed) + output / panel_outputs * panel_groups(inputs);
    for (std::size_t first = 0; first < inputs; first += block_length) {
      std::array<float, block_length> x;
      const std::size_t b = first / block_length;
      dequantize(get_block(panel[b / group_blocks], b % group_blocks, output % panel_outputs), x.data());
      std::copy_n(x.data(), std::min(block_length, inputs - first), y + first);
    }
  });
}

/// y [outputs] = the numbers of one input.
inline void read_panel_input(element_type type, const void* packed, std::size_t inputs, std::size_t outputs,
                             std::size_t input, float* y) {
  if (!is_block_type(type)) return read_float_panel_input(type, packed, inputs, outputs, input, y);
  with_group_type(type, [&]<class Group>(std::type_identity<Group>) {
    const std::size_t b = input / block_length;
    for (std::size_t o = 0; o < outputs; ++o) {
      const Group* const panel = static_cast<const Group*>(packed) + o / panel_outputs * panel_groups(inputs);
      std::array<float, block_length> x;
      dequantize(get_block(panel[b / group_blocks], b % group_blocks, o % panel_outputs), x.data());
      y[o] = x[input % block_length];
    }
  });
}

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA
