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

#include <transept/kernels/adamw.hpp>
#include <transept/runtime/thread_pool.hpp>
#include <transept/tensor/buffer.hpp>
#include <transept/train/parameters.hpp>

namespace transept::inline TRANSEPT_ABI {

/// AdamW's numbers; the defaults are GPT-3's (Brown et al. 2020, appendix B).
struct adamw_options {
  double beta_1 = 0.9, beta_2 = 0.95; ///< what each step keeps of the first and of the second moments
  double epsilon = 1e-8;              ///< keeps small second moments from making large steps
  double weight_decay = 0.1;          ///< times the rate; of matrices only
};

/// AdamW's memory: first and second moments of the trained parameters, and the steps made.
struct adamw_state {
  /// All moments 0. Throws std::bad_alloc.
  explicit adamw_state(const parameter_layout& layout)
      : first(zeros(layout.trained_size())), second(zeros(layout.trained_size())) {}

  buffer<float> first, second; ///< m and v, each of trained_size() floats
  std::size_t steps = 0;       ///< t of the last step; 0: none yet
};

/// One step with learning rate `rate`: trained parameters change, gradients (times gradient_scale) are used
/// up, that is, set to 0.
inline void adamw_step(thread_pool& threads, const parameter_layout& layout, const adamw_options& options,
                       double rate, double gradient_scale, buffer<float>& parameters,
                       buffer<float>& gradients, adamw_state& state) {
  const auto t = static_cast<double>(++state.steps);
  const kernels::adamw_factors step{.beta_1 = static_cast<float>(options.beta_1),
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
        kernels::adamw(step, span.decays ? keep : 1.0f, from, to, parameters.data(), gradients.data(),
                       state.first.data(), state.second.data());
    }
  });
}

/// √Σ g² over a flat buffer, summed in double in one order. `sums` is scratch memory, grown once.
TRANSEPT_FUNCTION double gradient_norm(thread_pool& threads, const buffer<float>& gradients,
                                       std::vector<double>& sums);

/// What gradients of this norm are multiplied by so that it is at most `most`; `most` 0 leaves all as they
/// are.
inline double clipping_factor(double norm, double most) {
  return most > 0 && norm > most ? most / (norm + 1e-6) : 1.0;
}

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/train/impl/adamw.hpp>
#endif
