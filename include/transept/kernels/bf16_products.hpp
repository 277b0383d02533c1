// Which products are of tiles of bf16, and so round their activations.
#pragma once

#include <cstddef>

#include <transept/core/element_type.hpp>
#include <transept/runtime/compute_context.hpp>

namespace transept::inline TRANSEPT_ABI::kernels {

/// From this number of rows on, products may be of tiles: a whole one of rows. (By a count of operations,
/// packing the weights costs as much as multiplying eight rows in f32; not measured.)
inline constexpr std::size_t tiled_rows = 16;

inline namespace TRANSEPT_ISA {

/// Whether a product of `rows` rows with weights of a type that comes in no blocks is one of tiles of bf16:
/// where the weights are bf16, or, on AMX alone, which is fast enough for three, split into parts of bf16.
TRANSEPT_FUNCTION bool runs_in_tiles(element_type type, std::size_t rows,
                                     f32_precision precision = f32_precision::full);

} // namespace TRANSEPT_ISA
} // namespace transept::inline TRANSEPT_ABI::kernels

#if !TRANSEPT_IS_COMPILED
#include <transept/kernels/vector/x86/bf16_unit.hpp>
#endif
