// Rotary positions (Su et al. 2021, eq. 34): pairs of a head's numbers are turned by angles that grow with
// the row's position,
//
//   (a, b) → (a cos − b sin, b cos + a sin)
//
// The angles come from layers/positions/rotary.hpp, one row of them for all heads.
#pragma once

#include <cstddef>
#include <cstdint>

#include <transept/kernels/head_rows.hpp>
#include <transept/runtime/compute_context.hpp>

namespace transept::inline TRANSEPT_ABI {

/// Which numbers of a head are turned together.
enum class rotary_pairing : std::uint8_t {
  halves,     ///< i with i + width / 2, as Hugging Face's LLaMA, GPT-NeoX
  interleaved ///< 2i with 2i + 1, as the paper, GPT-J
};

namespace kernels::inline TRANSEPT_ISA {

/// Turns the first rotary_width numbers (even, ≤ head_width) of every head of x in place. Row r of angles
/// [rows, rotary_width]: cosines of the rotary_width / 2 pairs, then sines; both may carry a factor.
/// `backwards` turns the other way, by the same factor: the transpose, which takes a gradient back.
TRANSEPT_FUNCTION void rotate(compute_context& context, head_rows where, const float* angles,
                              std::size_t rotary_width, rotary_pairing pairing, float* x,
                              bool backwards = false);

} // namespace kernels::inline TRANSEPT_ISA
} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/kernels/vector/rotary.hpp>
#endif
