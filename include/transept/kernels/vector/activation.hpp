// Activation functions (kernels/activation.hpp) of vectors.
#pragma once

#include <cstddef>
#include <type_traits>

#include <transept/core/activation.hpp>
#include <transept/simd/math.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

namespace detail {

/// What gelu_tanh lets through of x: 0.5 (1 + tanh(u)) = 1 / (1 + e⁻²ᵘ), which takes one exponential and
/// loses no digits where it is small.
inline simd::batch gelu_tanh_share(simd::batch x, simd::batch square) {
  using simd::broadcast;
  const simd::batch cubic = simd::fma(square * x, broadcast(0.044715f), x);
  return broadcast(1.0f) / (broadcast(1.0f) + simd::exp(broadcast(-1.5957691216057308f) * cubic));
}

template <activation_type Type>
simd::batch activate(simd::batch x) {
  using simd::broadcast;
  if constexpr (Type == activation_type::gelu_tanh) {
    return x * gelu_tanh_share(x, x * x);
  } else if constexpr (Type == activation_type::gelu_erf) {
    const simd::batch half = broadcast(0.5f) * x;
    return simd::fma(half, simd::erf(broadcast(0.7071067811865476f) * x), half);
  } else if constexpr (Type == activation_type::relu) {
    return simd::without_negatives(x);
  } else if constexpr (Type == activation_type::silu) {
    return x / (broadcast(1.0f) + simd::exp(-x));
  } else if constexpr (Type == activation_type::quick_gelu) {
    return x / (broadcast(1.0f) + simd::exp(broadcast(-1.702f) * x));
  } else if constexpr (Type == activation_type::sigmoid) {
    return broadcast(1.0f) / (broadcast(1.0f) + simd::exp(-x));
  } else {
    return simd::tanh(x);
  }
}

/// y[0 … count) = activation(x); y may be x.
template <activation_type Type>
void activate(const float* x, std::size_t count, float* y) {
  std::size_t i = 0;
  for (; i + simd::width <= count; i += simd::width) simd::store(y + i, activate<Type>(simd::load(x + i)));
  if (i < count) simd::store_partial(y + i, activate<Type>(simd::load_partial(x + i, count - i)), count - i);
}

/// Calls f(integral_constant<activation_type>).
template <class F>
void with_activation(activation_type type, F&& f) {
  switch (type) {
  case activation_type::gelu_tanh:
    return f(std::integral_constant<activation_type, activation_type::gelu_tanh>{});
  case activation_type::gelu_erf:
    return f(std::integral_constant<activation_type, activation_type::gelu_erf>{});
  case activation_type::relu:
    return f(std::integral_constant<activation_type, activation_type::relu>{});
  case activation_type::silu:
    return f(std::integral_constant<activation_type, activation_type::silu>{});
  case activation_type::quick_gelu:
    return f(std::integral_constant<activation_type, activation_type::quick_gelu>{});
  case activation_type::tanh:
    return f(std::integral_constant<activation_type, activation_type::tanh>{});
  case activation_type::sigmoid:
    return f(std::integral_constant<activation_type, activation_type::sigmoid>{});
  }
}

} // namespace detail

/// y[0 … count) = activation(x); y may be x.
inline void activate(activation_type type, const float* x, std::size_t count, float* y) {
  detail::with_activation(type, [&](auto known) { detail::activate<known>(x, count, y); });
}

/// The same in place.
inline void activate(activation_type type, float* x, std::size_t count) { activate(type, x, count, x); }

/// Rows [rows, count] in place, `stride` apart.
inline void activate(activation_type type, float* x, std::size_t rows, std::size_t stride,
                     std::size_t count) {
  detail::with_activation(type, [&](auto known) {
    for (std::size_t r = 0; r < rows; ++r) detail::activate<known>(x + r * stride, count, x + r * stride);
  });
}

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA
