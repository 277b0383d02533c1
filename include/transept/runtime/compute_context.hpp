// What every kernel and layer is handed beside its operands: threads to divide work over, scratch memory, and
// how exactly products of f32 are wanted.
#pragma once

#include <cstdint>

#include <transept/runtime/thread_pool.hpp>
#include <transept/runtime/workspace.hpp>

namespace transept::inline TRANSEPT_ABI {

/// How matrices of f32 are multiplied: prompts by f32 (or f16) weights, and everything while training.
enum class f32_precision : std::uint8_t {
  /// In f32.
  full,
  /// On AMX, where the machine has it, as three products of bf16 parts: xₕ·wₕ + xₕ·wₗ + xₗ·wₕ. A product then
  /// errs by at most 3 · 2⁻¹⁶ Σ|x w| (kernels/vector/x86/matmul_tiles.hpp). An infinity in x or w may show as
  /// NaN, and numbers below 2⁻¹²⁶ count as 0. Without AMX, and for fewer rows than a tile has, this is
  /// `full`.
  bf16x3,
  /// As one product of both operands rounded to bf16, nearest even, summed in f32: mixed precision
  /// as training has it (Micikevicius et al. 2018; Kalamkar et al. 2019). A product then errs by at most 2⁻⁷
  /// Σ|x w|. The numbers are the same everywhere but for the order of sums, and for those below 2⁻¹²⁶, which
  /// units that multiply bf16 (kernels/vector/x86/bf16_unit.hpp) take for 0; only there is it the faster way.
  /// Sessions refuse it.
  bf16
};

/// One computation at a time may use it; a session holds its own.
struct compute_context {
  thread_pool& threads;                          ///< do the work
  workspace& memory;                             ///< holds activations while they are needed
  f32_precision precision = f32_precision::full; ///< of products of f32
};

} // namespace transept::inline TRANSEPT_ABI
