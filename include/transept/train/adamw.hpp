// AdamW (Kingma & Ba 2015; Loshchilov & Hutter 2019), in one pass over flat buffers:
//
//   m = β₁ m + (1 − β₁) g,   v = β₂ v + (1 − β₂) g²
//   p = p − rate · decay · p − rate · (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε)
//
// and the clipping of gradients by their norm (Pascanu, Mikolov & Bengio 2013). Decay is decoupled, and
// applies to matrices only, not to biases and norms.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include <transept/runtime/thread_pool.hpp>
#include <transept/simd/batch.hpp>
#include <transept/tensor/buffer.hpp>
#include <transept/train/parameters.hpp>

namespace transept::inline TRANSEPT_ABI {

struct adamw_options {
  double beta_1 = 0.9, beta_2 = 0.95;
  double epsilon = 1e-8;
  double weight_decay = 0.1;
};

/// AdamW's memory: first and second moments of the trained parameters, and the steps made.
struct adamw_state {
  explicit adamw_state(const parameter_layout& layout)
      : first(zeros(layout.trained_size())), second(zeros(layout.trained_size())) {}

  buffer<float> first, second;
  std::size_t steps = 0;
};

namespace detail {

/// One step's numbers: p = p · keep − rate · m / (√v · root_scale + ε), the bias corrections worked into rate
/// and root_scale.
struct adamw_factors {
  float beta_1, beta_2, rate, root_scale, epsilon, gradient_scale;
};

/// Elements [begin, end): gradients are read, scaled and cleared.
inline void adamw(const adamw_factors& step, float keep, std::size_t begin, std::size_t end, float* p,
                  float* g, float* m, float* v) {
  using simd::broadcast, simd::fma;
  const simd::batch scale = broadcast(step.gradient_scale), rate = broadcast(-step.rate);
  const simd::batch beta_1 = broadcast(step.beta_1), rest_1 = broadcast(1.0f - step.beta_1);
  const simd::batch beta_2 = broadcast(step.beta_2), rest_2 = broadcast(1.0f - step.beta_2);
  for (std::size_t i = begin; i < end; i += simd::width) {
    const std::size_t lanes = std::min(simd::width, end - i);
    const simd::batch gradient = simd::load_lanes(g + i, lanes) * scale;
    const simd::batch first = fma(beta_1, simd::load_lanes(m + i, lanes), rest_1 * gradient);
    const simd::batch second = fma(beta_2, simd::load_lanes(v + i, lanes), rest_2 * gradient * gradient);
    const simd::batch root = fma(simd::sqrt(second), broadcast(step.root_scale), broadcast(step.epsilon));
    const simd::batch kept = simd::load_lanes(p + i, lanes) * broadcast(keep);
    simd::store_lanes(m + i, first, lanes);
    simd::store_lanes(v + i, second, lanes);
    simd::store_lanes(p + i, fma(rate, first / root, kept), lanes);
    simd::store_lanes(g + i, broadcast(0.0f), lanes);
  }
}

} // namespace detail

/// One step with learning rate `rate`: trained parameters change, gradients (times gradient_scale) are used
/// up, that is, set to 0.
inline void adamw_step(thread_pool& threads, const parameter_layout& layout, const adamw_options& options,
                       double rate, double gradient_scale, buffer<float>& parameters,
                       buffer<float>& gradients, adamw_state& state) {
  const auto t = static_cast<double>(++state.steps);
  const detail::adamw_factors step{.beta_1 = static_cast<float>(options.beta_1),
                                   .beta_2 = static_cast<float>(options.beta_2),
                                   .rate = static_cast<float>(rate / (1 - std::pow(options.beta_1, t))),
                                   .root_scale =
                                       static_cast<float>(1 / std::sqrt(1 - std::pow(options.beta_2, t))),
                                   .epsilon = static_cast<float>(options.epsilon),
                                   .gradient_scale = static_cast<float>(gradient_scale)};
  const auto keep = static_cast<float>(1 - rate * options.weight_decay);
  parallel_for(threads, layout.trained_size(), 1024, [&](std::size_t begin, std::size_t end, int) {
    for (const parameter_span& span : layout.spans()) {
      const std::size_t from = std::max(begin, span.offset);
      const std::size_t to = std::min(end, span.offset + span.size);
      if (from < to)
        detail::adamw(step, span.decays ? keep : 1.0f, from, to, parameters.data(), gradients.data(),
                      state.first.data(), state.second.data());
    }
  });
}

/// √Σ g² over a flat buffer, summed in double in one order. `sums` is scratch memory, grown once.
inline double gradient_norm(thread_pool& threads, const buffer<float>& gradients, std::vector<double>& sums) {
  constexpr std::size_t piece = 4096;
  const std::size_t count = gradients.size();
  sums.resize((count + piece - 1) / piece);
  parallel_for(threads, sums.size(), 1, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t p = begin; p < end; ++p) {
      double total = 0;
      const std::size_t last = std::min(count, (p + 1) * piece);
      for (std::size_t i = p * piece; i < last; i += 16 * simd::width) {
        simd::batch partial = simd::broadcast(0.0f); // short runs of f32 sums, added up in double
        for (std::size_t j = i; j < std::min(last, i + 16 * simd::width); j += simd::width) {
          const simd::batch g = simd::load_lanes(gradients.data() + j, std::min(simd::width, last - j));
          partial = simd::fma(g, g, partial);
        }
        total += static_cast<double>(simd::sum(partial));
      }
      sums[p] = total;
    }
  });
  double total = 0;
  for (const double sum : sums) total += sum;
  return std::sqrt(total);
}

/// What gradients of this norm are multiplied by so that it is at most `most`; `most` 0 leaves all as they
/// are.
inline double clipping_factor(double norm, double most) {
  return most > 0 && norm > most ? most / (norm + 1e-6) : 1.0;
}

} // namespace transept::inline TRANSEPT_ABI
