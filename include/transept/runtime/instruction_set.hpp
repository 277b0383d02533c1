// Which vector instructions the kernels use. Header-only, that is what the compiler's flags say. With the
// target transept::compiled, a program holds the kernels once for each of several instruction sets, and the
// first of them that processor and system allow, best first, is taken by the first thread pool or kernel: on
// x86
//
//   avx512_amx     what a Sapphire Rapids has: AVX-512 with VNNI, bf16 and fp16, and matrix tiles
//   avx512_bf16    AVX-512 with VNNI and products of bf16 (Zen 4, Zen 5)
//   avx512_vnni    AVX-512 with VNNI (Ice Lake, Tiger Lake)
//   avx2_vnni      AVX2 with VNNI (Alder Lake)
//   avx2           x86-64-v3: AVX2, FMA, F16C, BMI (Haswell, Zen)
//   sse2           x86-64
//
// and `neon` on aarch64. The environment variable TRANSEPT_ISA, or use_instruction_set, chooses another of
// them. Results are the same bits for one instruction set, however it was chosen.
#pragma once

#include <string_view>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/core/version.hpp>

namespace transept::inline TRANSEPT_ABI {

#if TRANSEPT_IS_COMPILED // header-only there is nothing to choose

/// Those that this program has kernels for and this processor runs, best first; never empty.
std::vector<std::string_view> instruction_sets();

/// The one in use. Throws argument_error where TRANSEPT_ISA names one that is not among them.
std::string_view instruction_set();

/// Uses another from the next kernel on. Call it before anything is computed: weights that one instruction
/// set packed serve all, but a computation should not change its rounding half way. Throws argument_error,
/// which lists what there is, where `name` is not among them.
void use_instruction_set(std::string_view name);

#endif

} // namespace transept::inline TRANSEPT_ABI
