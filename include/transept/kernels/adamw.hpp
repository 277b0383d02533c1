// The inside of AdamW (train/adamw.hpp) and of the clipping of gradients: one pass over flat buffers.
#pragma once

#include <cstddef>

#include <transept/core/version.hpp>

namespace transept::inline TRANSEPT_ABI::kernels {

/// One step's numbers: p = p · keep − rate · m / (√v · root_scale + ε), the bias corrections worked into rate
/// and root_scale.
struct adamw_factors {
  float beta_1, beta_2, rate, root_scale, epsilon, gradient_scale;
};

inline namespace TRANSEPT_ISA {

/// Elements [begin, end) of parameters p, gradients g and moments m and v: gradients are read, scaled and
/// cleared.
TRANSEPT_FUNCTION void adamw(const adamw_factors& step, float keep, std::size_t begin, std::size_t end,
                             float* p, float* g, float* m, float* v);

/// Σ x² over x [count]: short runs in f32, added up in double.
TRANSEPT_FUNCTION double sum_of_squares(const float* x, std::size_t count);

} // namespace TRANSEPT_ISA
} // namespace transept::inline TRANSEPT_ABI::kernels

#if !TRANSEPT_IS_COMPILED
#include <transept/kernels/vector/adamw.hpp>
#endif
