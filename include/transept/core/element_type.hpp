// Element types of stored weights, and their exact scalar conversions.
//
//   f32   IEEE 754 binary32: 1 sign, 8 exponent, 23 fraction bits
//   f16   IEEE 754 binary16: 1 sign, 5 exponent, 10 fraction bits
//   bf16  the upper half of a binary32: 1 sign, 8 exponent, 7 fraction bits
//   q8_0  blocks of 32: an f16 scale d and 32 int8; a value is d · q          (core/blocks.hpp)
//   q4_0  blocks of 32: an f16 scale d and 32 numbers of 4 bits; d · (q − 8)
//   q4_k  the same with a scale of a scale, and a least number; only of files that have it: d · s · q − m · t
//
// An element type is a run-time tag on a weight matrix; a kernel call switches on it once: `is_block_type`,
// then, for the types whose elements stand alone, `with_element_type`.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <transept/core/error.hpp>

namespace transept::inline TRANSEPT_ABI {

/// What the elements of a stored matrix are.
enum class element_type : std::uint8_t { f32, f16, bf16, q8_0, q4_0, q4_k };

/// Whether elements come in blocks that share a scale.
constexpr bool is_block_type(element_type type) {
  return type == element_type::q8_0 || type == element_type::q4_0 || type == element_type::q4_k;
}

/// Bytes of one element, for a type whose elements stand alone.
constexpr std::size_t size_of(element_type type) { return type == element_type::f32 ? 4 : 2; }

/// The name safetensors and GGUF use: "F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_K".
constexpr std::string_view name_of(element_type type) {
  switch (type) {
  case element_type::f32:
    return "F32";
  case element_type::f16:
    return "F16";
  case element_type::bf16:
    return "BF16";
  case element_type::q8_0:
    return "Q8_0";
  case element_type::q4_0:
    return "Q4_0";
  case element_type::q4_k:
    return "Q4_K";
  }
  return "?";
}

/// Storage of one f16; arithmetic is always done in f32.
struct f16 {
  std::uint16_t bits; ///< from the highest on: sign, exponent, fraction
};

/// Storage of one bf16.
struct bf16 {
  std::uint16_t bits; ///< the upper half of the f32's
};

/// As it is: for code that is written for every element type.
constexpr float to_float(float value) { return value; }

/// Exact: the lower half of the bits is 0.
constexpr float to_float(bf16 value) { return std::bit_cast<float>(std::uint32_t{value.bits} << 16); }

/// Exact for every bit pattern: subnormals, infinities and NaN payloads included.
TRANSEPT_ALWAYS_INLINE constexpr float to_float(f16 value) {
  const std::uint32_t sign = std::uint32_t{value.bits & 0x8000u} << 16;
  const std::uint32_t magnitude = value.bits & 0x7fffu;
  if (magnitude >= 0x7c00u) return std::bit_cast<float>(sign | 0x7f800000u | ((magnitude & 0x3ffu) << 13));
  if (magnitude >= 0x0400u) return std::bit_cast<float>(sign | ((magnitude << 13) + (112u << 23)));
  // Subnormal: magnitude · 2⁻²⁴, exact in f32.
  const float scaled = static_cast<float>(magnitude) * 0x1p-24f;
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(scaled) | sign);
}

/// Whether it is what a number beyond 65504 becomes.
constexpr bool is_infinite(f16 value) { return (value.bits & 0x7fffu) == 0x7c00u; }

/// Rounds to nearest, ties to even; overflow gives infinity, NaN stays NaN.
TRANSEPT_ALWAYS_INLINE constexpr bf16 to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return {static_cast<std::uint16_t>((bits >> 16) | 0x0040u)};
  return {static_cast<std::uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16)};
}

/// Rounds to nearest, ties to even; overflow gives infinity, NaN stays NaN.
TRANSEPT_ALWAYS_INLINE constexpr f16 to_f16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000u);
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  const auto with_sign = [sign](std::uint32_t half) { return f16{static_cast<std::uint16_t>(sign | half)}; };
  if (magnitude > 0x7f800000u) return with_sign(0x7e00u | ((magnitude >> 13) & 0x3ffu));
  if (magnitude >= 0x477ff000u) return with_sign(0x7c00u); // 65520 and above round to infinity
  if (magnitude < 0x38800000u) {                           // below 2⁻¹⁴: subnormal, or zero
    const std::uint32_t exponent = magnitude >> 23;
    if (exponent < 102) return with_sign(0); // below 2⁻²⁵
    const std::uint32_t fraction = (magnitude & 0x7fffffu) | 0x800000u;
    const std::uint32_t shift = 126 - exponent;
    const std::uint32_t half = fraction >> shift;
    const std::uint32_t rest = fraction & ((1u << shift) - 1u);
    const std::uint32_t tie = 1u << (shift - 1u);
    return with_sign(half + (rest > tie || (rest == tie && (half & 1u)) ? 1u : 0u));
  }
  const std::uint32_t rebased = magnitude - (112u << 23);
  return with_sign((rebased + 0xfffu + ((rebased >> 13) & 1u)) >> 13);
}

/// `value` as the type of the second argument.
constexpr float narrow(float value, float) { return value; }
constexpr f16 narrow(float value, f16) { return to_f16(value); }    ///< rounded as by to_f16
constexpr bf16 narrow(float value, bf16) { return to_bf16(value); } ///< rounded as by to_bf16

/// The element type that T (float, f16 or bf16) is one element of.
template <class T>
inline constexpr element_type element_type_of_v = std::is_same_v<T, float> ? element_type::f32
                                                  : std::is_same_v<T, f16> ? element_type::f16
                                                                           : element_type::bf16;

namespace detail {

/// Throws argument_error: blocks have no C++ type for one number.
[[noreturn]] TRANSEPT_FUNCTION void refuse_block_type(element_type type);

} // namespace detail

/// Calls `f` with a value of the C++ type that stores one element of `type`: `with_element_type(t, [](auto
/// zero) { using T = decltype(zero); … })`. Throws argument_error for a block type.
template <class F>
constexpr decltype(auto) with_element_type(element_type type, F&& f) {
  switch (type) {
  case element_type::f32:
    return std::forward<F>(f)(float{});
  case element_type::f16:
    return std::forward<F>(f)(f16{});
  case element_type::bf16:
    return std::forward<F>(f)(bf16{});
  default:
    detail::refuse_block_type(type);
  }
}

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/core/impl/element_type.hpp>
#endif
