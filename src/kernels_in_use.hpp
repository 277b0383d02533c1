// The table of the instruction set in use.
#pragma once

#include "kernel_table.hpp"

namespace transept::inline TRANSEPT_ABI::kernels {

/// Chosen by the first call, as runtime/instruction_set.hpp says; throws argument_error as that does.
const kernel_table& kernels_in_use();

} // namespace transept::inline TRANSEPT_ABI::kernels
