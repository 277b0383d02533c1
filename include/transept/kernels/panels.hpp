// How the kernels keep block-quantized matrices: panels of sixteen outputs, so that one vector of products
// belongs to as many outputs and no sum runs across lanes.
//
//   packed      [panels of 16 outputs] [groups of 64 inputs]
//   q8 group    { f16 scales[2][16]; int8  values[2][8][16][4]; }        1088 bytes
//   q4 group    { f16 scales[2][16]; uint8 values[2][4][16][4]; }         576 bytes
//   q4_k group  { f16 scale[16], least[16]; int8 factors[2][16], offsets[2][16];
//                 uint8 values[2][4][16][4]; }                            640 bytes
//
// A group holds two blocks of 32 inputs (GGUF's, number for number: nothing is lost in packing);
// within a block the innermost index is four successive inputs of one output, what one 32-bit lane of an int8
// dot product takes. A q4 byte holds input 4v + i below and input 16 + 4v + i above. Groups are a multiple of
// 64 bytes, and begin at one. What lies behind the last output or input is zero, scales included.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <transept/core/blocks.hpp>
#include <transept/kernels/float_panels.hpp>
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

struct alignas(64) q4_k_group {
  using block = q4_k_block;
  std::array<f16, panel_outputs> scale, least;
  std::int8_t factors[group_blocks][panel_outputs], offsets[group_blocks][panel_outputs];
  std::uint8_t values[group_blocks][4][panel_outputs][4];
};
static_assert(sizeof(q4_k_group) == 640);

constexpr std::size_t panel_groups(std::size_t inputs) { return (inputs + group_inputs - 1) / group_inputs; }

/// Bytes of a packed matrix.
constexpr std::size_t panel_bytes(element_type type, std::size_t inputs, std::size_t outputs) {
  if (!is_block_type(type)) return panel_count(outputs) * float_panel_size(inputs) * size_of(type);
  const std::size_t groups = panel_count(outputs) * panel_groups(inputs);
  return groups * (type == element_type::q8_0   ? sizeof(q8_group)
                   : type == element_type::q4_0 ? sizeof(q4_group)
                                                : sizeof(q4_k_group));
}

/// Calls `f` with std::type_identity of the group type of a block type.
template <class F>
decltype(auto) with_group_type(element_type type, F&& f) {
  if (type == element_type::q8_0) return f(std::type_identity<q8_group>{});
  if (type == element_type::q4_0) return f(std::type_identity<q4_group>{});
  return f(std::type_identity<q4_k_group>{});
}

inline namespace TRANSEPT_ISA {

/// Packs a matrix of blocks [outputs, inputs / block_length], at any address; of q4_k two successive
/// blocks that share a group have the scale and the least number in common.
/// `packed` has panel_bytes, 64-byte aligned.
TRANSEPT_FUNCTION void pack_panels(thread_pool& threads, element_type type, const void* blocks,
                                   std::size_t inputs, std::size_t outputs, void* packed);

} // namespace TRANSEPT_ISA
} // namespace transept::inline TRANSEPT_ABI::kernels

#if !TRANSEPT_IS_COMPILED
#include <transept/kernels/vector/panels.hpp>
#endif
