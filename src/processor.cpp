// Intel, "Intel 64 and IA-32 Architectures Software Developer's Manual", volume 2, CPUID, and volume 1,
// chapter 13 (XGETBV): a feature counts where the processor has it and the system saves its registers.
#include "processor.hpp"

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

namespace transept::compiled {

#if defined(__x86_64__) || defined(__i386__)

namespace {

struct registers {
  unsigned a = 0, b = 0, c = 0, d = 0;
};

registers cpuid(unsigned leaf, unsigned subleaf = 0) {
  registers r;
  if (!__get_cpuid_count(leaf, subleaf, &r.a, &r.b, &r.c, &r.d)) return {};
  return r;
}

/// Which registers the system saves, bit by bit; 0 where it cannot be asked.
unsigned saved_registers() {
  constexpr unsigned osxsave = 1u << 27;
  if ((cpuid(1).c & osxsave) == 0) return 0;
  unsigned low = 0, high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

constexpr bool all_of(unsigned bits, unsigned wanted) { return (bits & wanted) == wanted; }

constexpr unsigned bit(int n) { return 1u << n; }

bool has_avx512() {
  const unsigned f = bit(16), dq = bit(17), cd = bit(28), bw = bit(30), vl = bit(31);
  return has_avx2() && all_of(saved_registers(), 0xe6) && all_of(cpuid(7).b, f | dq | cd | bw | vl);
}

} // namespace

bool has_sse2() { return true; }

bool has_avx2() {
  const unsigned fma = bit(12), movbe = bit(22), avx = bit(28), f16c = bit(29);
  const unsigned bmi1 = bit(3), avx2 = bit(5), bmi2 = bit(8), lzcnt = bit(5);
  return all_of(saved_registers(), 0x6) && all_of(cpuid(1).c, fma | movbe | avx | f16c) &&
         all_of(cpuid(7).b, bmi1 | avx2 | bmi2) && all_of(cpuid(0x80000001u).c, lzcnt);
}

bool has_avx2_vnni() { return has_avx2() && all_of(cpuid(7, 1).a, bit(4)); }

bool has_avx512_vnni() { return has_avx512() && all_of(cpuid(7).c, bit(11)); }

bool has_avx512_bf16() { return has_avx512_vnni() && all_of(cpuid(7, 1).a, bit(5)); }

bool has_avx512_amx() {
  const unsigned bf16 = bit(22), tile = bit(24), int8 = bit(25);
  return has_avx512_bf16() && all_of(saved_registers(), 0x60000) && all_of(cpuid(7).d, bf16 | tile | int8);
}

bool has_neon() { return false; }

#else

bool has_sse2() { return false; }
bool has_avx2() { return false; }
bool has_avx2_vnni() { return false; }
bool has_avx512_vnni() { return false; }
bool has_avx512_bf16() { return false; }
bool has_avx512_amx() { return false; }
bool has_neon() { return true; } // every aarch64 processor has it

#endif

} // namespace transept::compiled
