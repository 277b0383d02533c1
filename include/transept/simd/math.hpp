// Elementary functions on batches: exp, tanh, erf, as xsimd computes them (a few units in the last place).
#pragma once

#include <transept/simd/batch.hpp>

namespace transept::inline TRANSEPT_ABI::simd {

inline batch exp(batch x) { return xsimd::exp(x); }
inline batch tanh(batch x) { return xsimd::tanh(x); }
inline batch erf(batch x) { return xsimd::erf(x); }

} // namespace transept::inline TRANSEPT_ABI::simd
