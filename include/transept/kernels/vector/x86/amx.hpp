// AMX, the matrix unit of x86 processors: eight tile registers of up to 16 rows × 64 bytes, and instructions
// that multiply two of them into a third.
//
// It is used where the build allows it (TRANSEPT_HAS_AMX), the processor has it, and Linux lends it to this
// process. (Intel, "Intel 64 and IA-32 Architectures Software Developer's Manual", volume 1, chapter 18.)
#pragma once

#include <cstddef>
#include <cstdint>

#include <transept/core/version.hpp>
#include <transept/simd/batch.hpp>

#if TRANSEPT_HAS_AMX && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA::amx {

inline constexpr std::size_t tile_rows = 16;
inline constexpr std::size_t tile_row_bytes = 64;
inline constexpr std::size_t tile_bytes = tile_rows * tile_row_bytes;

#if TRANSEPT_HAS_AMX

namespace detail {

inline bool processor_has_it() {
#if defined(__linux__)
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
  constexpr unsigned needed = 1u << 22 | 1u << 24 | 1u << 25; // bf16, tiles, int8
  return (d & needed) == needed;
#else
  return false;
#endif
}

/// The kernel keeps the tiles' 8 KiB for the threads of processes that have asked for them.
inline bool system_lends_it() {
#if defined(__linux__)
  constexpr long request_permission = 0x1023, tile_data = 18; // ARCH_REQ_XCOMP_PERM
  return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
#else
  return false;
#endif
}

} // namespace detail

/// Whether this process may use AMX. The first call asks the system, for all threads.
inline bool available() {
  static const bool answer = detail::processor_has_it() && detail::system_lends_it();
  return answer;
}

/// The operand of ldtilecfg: how much of each tile register is used.
struct alignas(64) tile_sizes {
  std::uint8_t palette = 1;
  std::uint8_t start_row = 0;
  std::uint8_t reserved[14] = {};
  std::uint16_t row_bytes[16] = {};
  std::uint8_t rows[16] = {};

  /// Every tile whole.
  constexpr tile_sizes() {
    for (std::size_t i = 0; i < 8; ++i) set(i, tile_rows, tile_row_bytes);
  }

  constexpr void set(std::size_t tile, std::size_t row_count, std::size_t bytes_per_row) {
    rows[tile] = static_cast<std::uint8_t>(row_count);
    row_bytes[tile] = static_cast<std::uint16_t>(bytes_per_row);
  }
};
static_assert(sizeof(tile_sizes) == 64);

/// Lets the compiler not put off any store beyond this point. Tile loads need it behind the stores that they
/// read: their intrinsics do not say that they read memory.
inline void finish_stores() { asm volatile("" ::: "memory"); }

/// Tile registers for the current thread, while it lives. One at a time.
class tile_scope {
public:
  explicit tile_scope(const tile_sizes& sizes) {
    asm volatile("" ::"r"(&sizes) : "memory"); // or the sizes need not be in memory
    _tile_loadconfig(&sizes);
  }
  ~tile_scope() { _tile_release(); }
  tile_scope(const tile_scope&) = delete;
  tile_scope& operator=(const tile_scope&) = delete;
};

#else

constexpr bool available() { return false; }

#endif

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA::amx
