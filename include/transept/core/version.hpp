// The library's version, and the inline namespace every name lives in.
//
// Transept is header-only, so each translation unit compiles its own copy of every kernel, for the
// instruction set that its flags allow. Two translation units built with different flags must never share
// a symbol: the linker would keep one copy, perhaps the one the machine cannot run. So the name of the
// inline namespace carries every macro the headers test.
#pragma once

#define TRANSEPT_VERSION_MAJOR 0
#define TRANSEPT_VERSION_MINOR 1
#define TRANSEPT_VERSION_PATCH 0

#if __cplusplus < 202002L
#error "transept needs C++20: compile with -std=c++20 or link the CMake target transept::transept"
#endif

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "transept reads files in place: it needs a little-endian machine"
#endif

#if defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__ > 0
#error "transept relies on infinities and NaN: compile without -ffast-math and -ffinite-math-only"
#endif

// One part of the name per macro: present or absent.
#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__)
#define TRANSEPT_ABI_VECTOR _avx512
#elif defined(__AVX512F__)
#define TRANSEPT_ABI_VECTOR _avx512f
#elif defined(__AVX2__)
#define TRANSEPT_ABI_VECTOR _avx2
#elif defined(__AVX__)
#define TRANSEPT_ABI_VECTOR _avx
#elif defined(__SSE4_2__)
#define TRANSEPT_ABI_VECTOR _sse42
#elif defined(__SSE4_1__)
#define TRANSEPT_ABI_VECTOR _sse41
#elif defined(__SSSE3__)
#define TRANSEPT_ABI_VECTOR _ssse3
#elif defined(__SSE3__)
#define TRANSEPT_ABI_VECTOR _sse3
#elif defined(__SSE2__)
#define TRANSEPT_ABI_VECTOR _sse2
#elif defined(__ARM_NEON)
#define TRANSEPT_ABI_VECTOR _neon
#else
#define TRANSEPT_ABI_VECTOR _scalar
#endif

#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
#define TRANSEPT_HAS_FMA 1
#define TRANSEPT_ABI_FMA _fma
#else
#define TRANSEPT_HAS_FMA 0
#define TRANSEPT_ABI_FMA
#endif

#if defined(__F16C__)
#define TRANSEPT_ABI_F16C _f16c
#else
#define TRANSEPT_ABI_F16C
#endif

#if defined(__BMI2__)
#define TRANSEPT_ABI_BMI _bmi2
#else
#define TRANSEPT_ABI_BMI
#endif

// Dot products of four bytes: AVX-512's, AVX-VNNI's, or none.
#if defined(__AVX512VNNI__) && defined(__AVX512F__) && defined(__AVX512BW__)
#define TRANSEPT_VNNI_BITS 512
#define TRANSEPT_ABI_VNNI _vnni
#elif defined(__AVXVNNI__) && defined(__AVX2__)
#define TRANSEPT_VNNI_BITS 256
#define TRANSEPT_ABI_VNNI _avxvnni
#else
#define TRANSEPT_VNNI_BITS 0
#define TRANSEPT_ABI_VNNI
#endif

// Dot products of pairs of bf16, used with the vector instructions that every machine with them has.
#if defined(__AVX512BF16__) && defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) &&     \
    defined(__AVX512VL__)
#define TRANSEPT_HAS_BF16_DOT 1
#define TRANSEPT_ABI_BF16 _bf16
#else
#define TRANSEPT_HAS_BF16_DOT 0
#define TRANSEPT_ABI_BF16
#endif

#if defined(__AVX512FP16__)
#define TRANSEPT_ABI_FP16 _fp16
#else
#define TRANSEPT_ABI_FP16
#endif

// AMX is used with the vector instructions that every machine with AMX has.
#if defined(__AMX_TILE__) && defined(__AMX_BF16__) && defined(__AMX_INT8__) && TRANSEPT_HAS_BF16_DOT
#define TRANSEPT_HAS_AMX 1
#define TRANSEPT_ABI_AMX _amx
#else
#define TRANSEPT_HAS_AMX 0
#define TRANSEPT_ABI_AMX
#endif

#if defined(NDEBUG)
#define TRANSEPT_ABI_ASSERT
#else
#define TRANSEPT_ABI_ASSERT _assert
#endif

#define TRANSEPT_JOIN_(a, b, c, d, e, f, g, h, i, j) a##b##c##d##e##f##g##h##i##j
#define TRANSEPT_JOIN(a, b, c, d, e, f, g, h, i, j) TRANSEPT_JOIN_(a, b, c, d, e, f, g, h, i, j)

// TRANSEPT_ABI is the inline namespace of all names: `namespace transept::inline TRANSEPT_ABI { … }`.
// TRANSEPT_ISA is one more around what is computed by vectors (simd/, kernels/vector/, and the functions that
// kernels/ declares), and TRANSEPT_FUNCTION stands before functions that are compiled once where they can be:
//
//                                        TRANSEPT_ABI        TRANSEPT_ISA          TRANSEPT_FUNCTION
//   header-only                          v0_(instructions)   native                inline
//   with the target transept::compiled   v0_compiled         dispatched            (elsewhere)
//   that target's kernels                v0_compiled         one per instruction   (here)
//                                                            set, by the build
#if defined(TRANSEPT_COMPILED)
#define TRANSEPT_IS_COMPILED 1
#define TRANSEPT_ABI v0_compiled
#define TRANSEPT_FUNCTION
#if !defined(TRANSEPT_ISA)
#define TRANSEPT_ISA dispatched
#endif
#else
#define TRANSEPT_IS_COMPILED 0
#define TRANSEPT_ABI                                                                                         \
  TRANSEPT_JOIN(v0, TRANSEPT_ABI_VECTOR, TRANSEPT_ABI_FMA, TRANSEPT_ABI_F16C, TRANSEPT_ABI_BMI,              \
                TRANSEPT_ABI_VNNI, TRANSEPT_ABI_BF16, TRANSEPT_ABI_FP16, TRANSEPT_ABI_AMX,                   \
                TRANSEPT_ABI_ASSERT)
#define TRANSEPT_FUNCTION inline
#define TRANSEPT_ISA native
#endif

// What kernels call of core/ is always inlined: a copy that stands alone has no instruction set's name, so
// the linker could keep that of any (tests/compiled/symbols.cmake watches).
#if defined(__GNUC__)
#define TRANSEPT_ALWAYS_INLINE __attribute__((always_inline))
#define TRANSEPT_NOINLINE __attribute__((noinline))
#else
#define TRANSEPT_ALWAYS_INLINE
#define TRANSEPT_NOINLINE
#endif
