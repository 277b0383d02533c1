// What kernels/gated_activation.hpp declares, computed by vectors.
#pragma once

#include <algorithm>
#include <cstddef>

#include <transept/kernels/gated_activation.hpp>
#include <transept/kernels/vector/activation_backward.hpp>
#include <transept/runtime/compute_context.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

namespace detail {

template <activation_type Type>
void gate(const float* gate, const float* up, std::size_t count, float* out) {
  for (std::size_t i = 0; i < count; i += simd::width) {
    const std::size_t lanes = std::min(simd::width, count - i);
    simd::store_lanes(
        out + i, activate<Type>(simd::load_lanes(gate + i, lanes)) * simd::load_lanes(up + i, lanes), lanes);
  }
}

template <activation_type Type>
void gate_backward(const float* gate, const float* up, const float* dout, std::size_t count, float* out,
                   float* dgate, float* dup) {
  for (std::size_t i = 0; i < count; i += simd::width) {
    const std::size_t lanes = std::min(simd::width, count - i);
    const value_and_slope at = activate_with_slope<Type>(simd::load_lanes(gate + i, lanes));
    const simd::batch above = simd::load_lanes(up + i, lanes), d = simd::load_lanes(dout + i, lanes);
    simd::store_lanes(out + i, at.value * above, lanes);
    simd::store_lanes(dgate + i, d * above * at.slope, lanes);
    simd::store_lanes(dup + i, d * at.value, lanes);
  }
}

/// Calls f(row, first column, count) for pieces of [rows, cols] on all threads, within rows too, where a
/// thread has 8192 numbers: 7 µs of work, against the one or two that it takes to wake, at best.
template <class F>
void for_pieces_of_rows(compute_context& context, std::size_t rows, std::size_t cols, F&& f) {
  parallel_for(context.threads, rows * cols, 8192, [&](std::size_t begin, std::size_t end, int) {
    while (begin < end) {
      const std::size_t row = begin / cols, first = begin % cols;
      const std::size_t count = std::min(end - begin, cols - first);
      f(row, first, count);
      begin += count;
    }
  });
}

} // namespace detail

TRANSEPT_FUNCTION void gated_activation(compute_context& context, activation_type type, const float* gate_up,
                                        std::size_t rows, std::size_t inner, float* out) {
  detail::with_activation(type, [&](auto known) {
    detail::for_pieces_of_rows(context, rows, inner, [&](std::size_t r, std::size_t i, std::size_t count) {
      const float* const gate = gate_up + r * 2 * inner + i;
      detail::gate<known>(gate, gate + inner, count, out + r * inner + i);
    });
  });
}

TRANSEPT_FUNCTION void gated_activation_backward(compute_context& context, activation_type type,
                                                 const float* gate_up, std::size_t rows, std::size_t inner,
                                                 const float* dout, float* out, float* dgate_up) {
  detail::with_activation(type, [&](auto known) {
    detail::for_pieces_of_rows(context, rows, inner, [&](std::size_t r, std::size_t i, std::size_t count) {
      const std::size_t at = r * 2 * inner + i;
      detail::gate_backward<known>(gate_up + at, gate_up + at + inner, dout + r * inner + i, count,
                                   out + r * inner + i, dgate_up + at, dgate_up + at + inner);
    });
  });
}

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA
