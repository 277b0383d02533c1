// Hints to the processor about memory that is needed soon. They never fault, so what lies behind an array's
// end may be named too: addresses are computed as numbers.
#pragma once

#include <cstddef>
#include <cstdint>

#include <transept/core/version.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA::detail {

inline constexpr std::size_t cache_line = 64;

/// The address of the element `ahead` of `from`, which need not exist.
template <class T>
std::uintptr_t address_of(const T* from, std::size_t ahead) {
  return reinterpret_cast<std::uintptr_t>(from) + ahead * sizeof(T);
}

/// Begins to fetch the line at an address.
inline void prefetch_line([[maybe_unused]] std::uintptr_t address) {
#if defined(__GNUC__)
  __builtin_prefetch(reinterpret_cast<const void*>(address), 0, 3);
  asm volatile(""); // a function that does nothing but prefetch is pure to GCC 12, and calls of it vanish
#endif
}

/// Begins to fetch the line of the element `ahead` of `from`.
template <class T>
void prefetch(const T* from, std::size_t ahead) {
  prefetch_line(address_of(from, ahead));
}

/// What a loop over inputs fetches meanwhile: in its first step what is at `address`, in each further one
/// what is `step` bytes behind.
struct paced_fetch {
  std::uintptr_t address;
  std::size_t step;
};

/// Begins to fetch x[0 … count): what other threads have written comes slowly, and one wait is enough.
template <class T>
void fetch(const T* x, std::size_t count) {
  for (std::size_t i = 0; i < count; i += cache_line / sizeof(T)) prefetch(x, i);
}

/// Begins to fetch x[0 … count) to be written.
template <class T>
void fetch_to_write([[maybe_unused]] const T* x, [[maybe_unused]] std::size_t count) {
#if defined(__GNUC__)
  const auto begin = reinterpret_cast<std::uintptr_t>(x), end = begin + count * sizeof(T);
  for (std::uintptr_t line = begin & ~(cache_line - 1); line < end; line += cache_line)
    __builtin_prefetch(reinterpret_cast<const void*>(line), 1, 3);
  asm volatile("");
#endif
}

/// The same of rows [rows, count], `stride` apart.
template <class T>
void fetch_to_write(const T* x, std::size_t rows, std::size_t stride, std::size_t count) {
  for (std::size_t r = 0; r < rows; ++r) fetch_to_write(x + r * stride, count);
}

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA::detail
