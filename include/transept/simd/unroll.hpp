// Loops that must not be loops: the body is instantiated once per index, so that an array of batches
// indexed by it lives in registers (GCC 12 spills such arrays when an ordinary loop is unrolled late).
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

#include <transept/core/version.hpp>

namespace transept::inline TRANSEPT_ABI::simd::inline TRANSEPT_ISA {

namespace detail {
template <class Body, std::size_t... Indices>
TRANSEPT_ALWAYS_INLINE inline void unroll(Body&& body, std::index_sequence<Indices...>) {
  (body(std::integral_constant<std::size_t, Indices>{}), ...);
}
} // namespace detail

/// Calls body(integral_constant<0>), …, body(integral_constant<Count - 1>), all inlined.
template <std::size_t Count, class Body>
TRANSEPT_ALWAYS_INLINE inline void unroll(Body&& body) {
  detail::unroll(static_cast<Body&&>(body), std::make_index_sequence<Count>{});
}

/// Calls f(integral_constant<count>) for a count in [1, Most], so that a tile's size is known to the
/// compiler.
template <std::size_t Most, class F>
void with_count(std::size_t count, F&& f) {
  if constexpr (Most > 1) {
    if (count < Most) return with_count<Most - 1>(count, f);
  }
  f(std::integral_constant<std::size_t, Most>{});
}

/// Divides [0, count) into tiles of the sizes given, each as often as it fits what the ones before left, and
/// the rest into ones: f(begin, integral_constant<size>). An instance of the body per size, where with_count
/// makes one for every number.
template <std::size_t... Sizes, class F>
void in_tiles(std::size_t count, F&& f) {
  std::size_t i = 0;
  const auto cover = [&](auto size) {
    for (; i + size <= count; i += size) f(i, size);
  };
  (cover(std::integral_constant<std::size_t, Sizes>{}), ...);
  cover(std::integral_constant<std::size_t, 1>{});
}

} // namespace transept::inline TRANSEPT_ABI::simd::inline TRANSEPT_ISA
