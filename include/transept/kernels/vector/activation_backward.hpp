// Derivatives of the activation functions (activation.hpp), each computed together with its value, since they
// share the transcendental part.
#pragma once

#include <cstddef>

#include <transept/kernels/activation.hpp>
#include <transept/kernels/vector/activation.hpp>
#include <transept/runtime/compute_context.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

namespace detail {

/// An activation's value at x, and its derivative there.
struct value_and_slope {
  simd::batch value, slope;
};

template <activation_type Type>
value_and_slope activate_with_slope(simd::batch x) {
  using simd::broadcast, simd::fma;
  const simd::batch one = broadcast(1.0f), half = broadcast(0.5f);
  if constexpr (Type == activation_type::gelu_tanh) {
    const simd::batch square = x * x;
    const simd::batch share = gelu_tanh_share(x, square);
    const simd::batch inner = broadcast(1.5957691216057308f) * fma(square, broadcast(0.134145f), one);
    const simd::batch value = x * share;
    return {value, fma(value * (one - share), inner, share)};
  } else if constexpr (Type == activation_type::gelu_erf) {
    const simd::batch share = fma(half, simd::erf(broadcast(0.7071067811865476f) * x), half);
    const simd::batch density = broadcast(0.3989422804014327f) * simd::exp(-half * x * x);
    return {x * share, fma(x, density, share)};
  } else if constexpr (Type == activation_type::relu) {
    return {simd::without_negatives(x), simd::is_positive(x)};
  } else if constexpr (Type == activation_type::silu || Type == activation_type::quick_gelu) {
    const simd::batch factor = broadcast(Type == activation_type::silu ? 1.0f : 1.702f);
    const simd::batch share = one / (one + simd::exp(-factor * x));
    const simd::batch value = x * share;
    return {value, fma(factor * value, one - share, share)};
  } else if constexpr (Type == activation_type::sigmoid) {
    const simd::batch share = one / (one + simd::exp(-x));
    return {share, share * (one - share)};
  } else {
    const simd::batch t = simd::tanh(x);
    return {t, fma(-t, t, one)};
  }
}

template <activation_type Type>
void activate_backward(const float* x, std::size_t count, float* y, float* d) {
  std::size_t i = 0;
  for (; i + simd::width <= count; i += simd::width) {
    const value_and_slope at = activate_with_slope<Type>(simd::load(x + i));
    simd::store(y + i, at.value);
    simd::store(d + i, simd::load(d + i) * at.slope);
  }
  if (const std::size_t rest = count - i; rest > 0) {
    const value_and_slope at = activate_with_slope<Type>(simd::load_partial(x + i, rest));
    simd::store_partial(y + i, at.value, rest);
    simd::store_partial(d + i, simd::load_partial(d + i, rest) * at.slope, rest);
  }
}

} // namespace detail

/// y[0 … count) = activation(x), and d = d · activation′(x), x being what was activated.
inline void activate_backward(activation_type type, const float* x, std::size_t count, float* y, float* d) {
  detail::with_activation(type, [&](auto known) { detail::activate_backward<known>(x, count, y, d); });
}

TRANSEPT_FUNCTION void activate_backward(compute_context& context, activation_type type, const float* x,
                                         std::size_t count, float* y, float* d) {
  parallel_for(context.threads, count, 1024, [&](std::size_t begin, std::size_t end, int) {
    activate_backward(type, x + begin, end - begin, y + begin, d + begin);
  });
}

TRANSEPT_FUNCTION void activate(compute_context& context, activation_type type, const float* x,
                                std::size_t count, float* y) {
  parallel_for(context.threads, count, 1024, [&](std::size_t begin, std::size_t end, int) {
    activate(type, x + begin, end - begin, y + begin);
  });
}

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA
