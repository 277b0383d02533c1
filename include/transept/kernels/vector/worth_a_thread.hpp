// How small a part of the work is still worth a thread.
#pragma once

#include <algorithm>
#include <cstddef>

#include <transept/core/version.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA::detail {

/// How many items of `floats` numbers a thread should have at least. A core turns 16384 numbers in 2 µs and
/// norms them in 7; another thread is awake after one or two, at best.
constexpr std::size_t worth_a_thread(std::size_t floats) {
  return std::max<std::size_t>(1, 16384 / std::max<std::size_t>(1, floats));
}

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA::detail
