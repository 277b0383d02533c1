// How panels of f32, f16 and bf16 (kernels/float_panels.hpp) are packed and read.
#pragma once

#include <algorithm>
#include <cstddef>
#include <type_traits>

#include <transept/core/element_type.hpp>
#include <transept/kernels/float_panels.hpp>
#include <transept/simd/batch.hpp>
#include <transept/simd/unroll.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

namespace detail {

/// Where in a panel of T the weight of an input and an output (< 16) lies.
template <class T>
constexpr std::size_t place_in_panel(std::size_t input, std::size_t output) {
  const std::size_t pair = input / 2 * 2 * panel_outputs;
  return pair + (std::is_same_v<T, bf16> ? 2 * output + input % 2 : input % 2 * panel_outputs + output);
}

/// f32 weights of `width` outputs from `output` on, of input `Input` (0 or 1) of a pair.
template <std::size_t Input, class T>
TRANSEPT_ALWAYS_INLINE inline simd::batch load_of_pair(const T* pair, std::size_t output) {
  if constexpr (!std::is_same_v<T, bf16>)
    return simd::load(pair + Input * panel_outputs + output);
  else if constexpr (Input == 0)
    return simd::load_even(pair + 2 * output);
  else
    return simd::load_odd(pair + 2 * output);
}

} // namespace detail

TRANSEPT_FUNCTION void pack_float_panels(thread_pool& threads, stored_matrix w, void* packed) {
  const std::size_t inputs = w.rows, outputs = w.cols;
  const bool by_rows = w.layout == matrix_layout::row_major;
  const std::size_t input_stride = by_rows ? outputs : 1, output_stride = by_rows ? 1 : inputs;
  with_element_type(w.type, [&]<class T>(T) {
    parallel_for(threads, panel_count(outputs), 1, [&](std::size_t begin, std::size_t end, int) {
      for (std::size_t panel = begin; panel < end; ++panel) {
        T* const to = static_cast<T*>(packed) + panel * float_panel_size(inputs);
        const T* const from = static_cast<const T*>(w.data) + panel * panel_outputs * output_stride;
        const std::size_t count = std::min(panel_outputs, outputs - panel * panel_outputs);
        if (count < panel_outputs || inputs % 2 != 0) std::fill_n(to, float_panel_size(inputs), T{});
        for (std::size_t i = 0; i < inputs; ++i)
          for (std::size_t o = 0; o < count; ++o)
            to[detail::place_in_panel<T>(i, o)] = from[i * input_stride + o * output_stride];
      }
    });
  });
}

/// y [inputs] = the numbers of one output.
inline void read_float_panel_output(element_type type, const void* packed, std::size_t inputs,
                                    std::size_t output, float* y) {
  with_element_type(type, [&]<class T>(T) {
    const T* const panel = static_cast<const T*>(packed) + output / panel_outputs * float_panel_size(inputs);
    for (std::size_t i = 0; i < inputs; ++i)
      y[i] = to_float(panel[detail::place_in_panel<T>(i, output % panel_outputs)]);
  });
}

/// y [outputs] = the numbers of one input.
inline void read_float_panel_input(element_type type, const void* packed, std::size_t inputs,
                                   std::size_t outputs, std::size_t input, float* y) {
  with_element_type(type, [&]<class T>(T) {
    for (std::size_t o = 0; o < outputs; ++o) {
      const T* const panel = static_cast<const T*>(packed) + o / panel_outputs * float_panel_size(inputs);
      y[o] = to_float(panel[detail::place_in_panel<T>(input, o % panel_outputs)]);
    }
  });
}

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA
