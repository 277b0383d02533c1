// What multiplies bf16 numbers by bf16 numbers, two at a time or whole tiles of them, and sums in f32.
#pragma once

#include <cstddef>
#include <cstdint>

#include <transept/core/element_type.hpp>
#include <transept/core/version.hpp>
#include <transept/kernels/bf16_products.hpp>
#include <transept/kernels/vector/x86/amx.hpp>
#include <transept/runtime/compute_context.hpp>

#if TRANSEPT_HAS_BF16_DOT
#include <cpuid.h>
#endif

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

/// In the order of their speed.
enum class bf16_unit : std::uint8_t {
  none,         ///< bf16 is widened to f32, and multiplied there
  dot_products, ///< AVX-512's, of pairs (VDPBF16PS)
  amx           ///< tiles
};

namespace detail {

/// Whether dot products of pairs are worth rounding for: on AMD's processors. A Zen 5 does twice the
/// operations of its multiply-adds in f32 with them (484 against 238 GFLOP/s a core), a Sapphire Rapids of
/// Intel's half as many (152 against 272 on two cores). Zen 4 has them too, and was not there to be measured.
inline bool has_fast_bf16_dot() {
#if TRANSEPT_HAS_BF16_DOT
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid(0, &a, &b, &c, &d)) return false;
  const bool is_amd = b == signature_AMD_ebx && c == signature_AMD_ecx && d == signature_AMD_edx;
  return is_amd && __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & 1u << 5) != 0;
#else
  return false;
#endif
}

} // namespace detail

/// This process's. The first call asks the processor, and the system for AMX.
inline bf16_unit fastest_bf16_unit() {
  static const bf16_unit answer = amx::available()              ? bf16_unit::amx
                                  : detail::has_fast_bf16_dot() ? bf16_unit::dot_products
                                                                : bf16_unit::none;
  return answer;
}

TRANSEPT_FUNCTION bool runs_in_tiles(element_type type, std::size_t rows, f32_precision precision) {
  if (rows < tiled_rows) return false;
  const bf16_unit unit = fastest_bf16_unit();
  return unit == bf16_unit::amx ? type == element_type::bf16 || precision == f32_precision::bf16x3
                                : unit == bf16_unit::dot_products && type == element_type::bf16;
}

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA
