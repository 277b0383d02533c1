// How the kernels keep block-quantized matrices: panels of sixteen outputs, so that one vector of products
// belongs to as many outputs and no sum runs across lanes.
//
//   packed      [panels of 16 outputs] [groups of 64 inputs]
//   q8 group    { f16 scales[2][16]; int8  values[2][8][16][4]; }        1088 bytes
//   q4 group    { f16 scales[2][16]; uint8 values[2][4][16][4]; }         576 bytes
//
// A group holds two blocks of 32 inputs (GGUF's Q8_0 or Q4_0, number for number: nothing is lost in packing);
// within a block the innermost index is four successive inputs of one output, what one 32-bit lane of an int8
// dot product takes. A q4 byte holds input 4v + i below and input 16 + 4v + i above. Groups are a multiple of
// 64 bytes, and begin at one. What lies behind the last output or input is zero, scales included.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include <transept/core/blocks.hpp>
#include <transept/kernels/float_panels.hpp>
#include <transept/kernels/operands.hpp>
#include <transept/runtime/thread_pool.hpp>

namespace transept::inline TRANSEPT_ABI::kernels {

inline constexpr std::size_t group_blocks = 2;
inline constexpr std::size_t group_inputs = group_blocks * block_length;

struct alignas(64) q8_group {
  using block = q8_0_block;
  std::array<std::array<f16, panel_outputs>, group_blocks> scales;
  std::int8_t values[group_blocks][8][panel_outputs][4];
};
static_assert(sizeof(q8_group) == 1088);

struct alignas(64) q4_group {
  using block = q4_0_block;
  std::array<std::array<f16, panel_outputs>, group_blocks> scales;
  std::uint8_t values[group_blocks][4][panel_outputs][4];
};
static_assert(sizeof(q4_group) == 576);

constexpr std::size_t panel_groups(std::size_t inputs) { return (inputs + group_inputs - 1) / group_inputs; }

/// Bytes of a packed matrix.
constexpr std::size_t panel_bytes(element_type type, std::size_t inputs, std::size_t outputs) {
  if (!is_block_type(type)) return panel_count(outputs) * float_panel_size(inputs) * size_of(type);
  const std::size_t groups = panel_count(outputs) * panel_groups(inputs);
  return groups * (type == element_type::q8_0 ? sizeof(q8_group) : sizeof(q4_group));
}

/// Calls `f` with std::type_identity of the group type of a block type.
template <class F>
decltype(auto) with_group_type(element_type type, F&& f) {
  return type == element_type::q8_0 ? f(std::type_identity<q8_group>{}) : f(std::type_identity<q4_group>{});
}

/// Puts one block of output o (< 16) into half b (< 2) of a group.
inline void set_block(q8_group& group, std::size_t b, std::size_t o, const q8_0_block& block) {
  group.scales[b][o] = block.scale;
  for (std::size_t v = 0; v < 8; ++v) std::memcpy(group.values[b][v][o], block.values.data() + 4 * v, 4);
}

inline void set_block(q4_group& group, std::size_t b, std::size_t o, const q4_0_block& block) {
  group.scales[b][o] = block.scale;
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

/// Packs a matrix of `outputs` × `inputs`: `block_of(output, block index)` gives its blocks, each asked for
/// once, in parallel. `packed` has panel_bytes, 64-byte aligned.
template <class Group, class BlockOf>
void pack_panels(thread_pool& threads, std::size_t inputs, std::size_t outputs, Group* packed,
                 BlockOf&& block_of) {
  const std::size_t groups = panel_groups(inputs);
  const std::size_t blocks = (inputs + block_length - 1) / block_length;
  parallel_for(threads, panel_count(outputs), 1, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t panel = begin; panel < end; ++panel) {
      Group* const to = packed + panel * groups;
      std::fill_n(to, groups, Group{});
      const std::size_t rest = std::min(panel_outputs, outputs - panel * panel_outputs);
      for (std::size_t b = 0; b < blocks; ++b)
        for (std::size_t o = 0; o < rest; ++o)
          set_block(to[b / group_blocks], b % group_blocks, o, block_of(panel * panel_outputs + o, b));
    }
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

} // namespace transept::inline TRANSEPT_ABI::kernels
