// How the kernels keep matrices of f32, f16 and bf16 that they multiply by: panels of sixteen outputs, whose
// inputs follow each other, so that each thread reads long runs of memory and sums stay in registers.
//
//   f32, f16   [panels of 16 outputs] [pairs of inputs] [2] [16]
//   bf16       [panels of 16 outputs] [pairs of inputs] [16] [2]
//
// Two adjoining bf16 of one output widen to f32 with one shift and one mask (and are what bf16 dot products
// take). What lies behind the last output or input is zero. Panels are 64-byte aligned.
#pragma once

#include <cstddef>

#include <transept/kernels/operands.hpp>
#include <transept/runtime/thread_pool.hpp>

namespace transept::inline TRANSEPT_ABI::kernels {

inline constexpr std::size_t panel_outputs = 16;

constexpr std::size_t panel_count(std::size_t outputs) {
  return (outputs + panel_outputs - 1) / panel_outputs;
}

/// Elements of one panel.
constexpr std::size_t float_panel_size(std::size_t inputs) { return (inputs + 1) / 2 * 2 * panel_outputs; }

inline namespace TRANSEPT_ISA {

/// packed = w [inputs, outputs], by rows or transposed; element types stay. `packed` has room for
/// panel_count(outputs) panels.
TRANSEPT_FUNCTION void pack_float_panels(thread_pool& threads, stored_matrix w, void* packed);

} // namespace TRANSEPT_ISA
} // namespace transept::inline TRANSEPT_ABI::kernels

#if !TRANSEPT_IS_COMPILED
#include <transept/kernels/vector/float_panels.hpp>
#endif
