// What arithmetic costs where nothing is read or written: for programs that say which share of that they
// reach.
#pragma once

#include <cstddef>

#include <transept/core/version.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

/// Multiplies and adds vectors of f32 in registers, `steps` times in each of a few independent chains.
/// Returns the number of operations, a multiply-add of one number being two.
TRANSEPT_FUNCTION double multiply_in_registers(std::size_t steps);

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA

#if !TRANSEPT_IS_COMPILED
#include <transept/kernels/vector/peak.hpp>
#endif
