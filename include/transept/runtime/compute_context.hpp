// What every kernel and layer is handed beside its operands: threads to divide work over, scratch memory.
#pragma once

#include <transept/runtime/thread_pool.hpp>
#include <transept/runtime/workspace.hpp>

namespace transept::inline TRANSEPT_ABI {

/// One computation at a time may use it; a session holds its own.
struct compute_context {
  thread_pool& threads;
  workspace& memory;
};

} // namespace transept::inline TRANSEPT_ABI
