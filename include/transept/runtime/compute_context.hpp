// What every kernel and layer is handed beside its operands: threads to divide work over, scratch memory, and
// how exactly products of f32 are wanted.
#pragma once

#include <cstdint>

#include <transept/runtime/thread_pool.hpp>
#include <transept/runtime/workspace.hpp>

namespace transept::inline TRANSEPT_ABI {

/// How prompts are multiplied by f32 (or f16) weights.
enum class f32_precision : std::uint8_t {
  /// In f32.
  full,
  /// On AMX, where the machine has it, as three products of bf16 parts: xₕ·wₕ + xₕ·wₗ + xₗ·wₕ. A product then
  /// errs by at most 3 · 2⁻¹⁶ Σ|x w| (kernels/x86/matmul_amx.hpp). An infinity in x or w may show as NaN, and
  /// numbers below 2⁻¹²⁶ count as 0. Without AMX, and for fewer rows than a tile has, this is `full`.
  bf16x3
};

/// One computation at a time may use it; a session holds its own.
struct compute_context {
  thread_pool& threads;
  workspace& memory;
  f32_precision precision = f32_precision::full;
};

} // namespace transept::inline TRANSEPT_ABI
