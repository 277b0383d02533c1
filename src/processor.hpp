// What the processor can do, and the system keeps for each thread.
#pragma once

namespace transept::compiled {

/// Whether a kernel of that instruction set may run here (runtime/instruction_set.hpp has the list).
bool has_sse2();
bool has_avx2();
bool has_avx2_vnni();
bool has_avx512_vnni();
bool has_avx512_bf16();
bool has_avx512_amx();
bool has_neon();

} // namespace transept::compiled
