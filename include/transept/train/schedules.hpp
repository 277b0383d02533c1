// Learning rates over time: each is a function of the step, counted from 0, that rises linearly from 0 over
// `warmup` steps and then goes its own way. Any function double(std::size_t) will do as well.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>

#include <transept/core/version.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

/// The part of the rate that warm-up gives step `step`: 1/(w+1), 2/(w+1), …, then 1.
constexpr double warmed_up(std::size_t step, std::size_t warmup) {
  return step >= warmup ? 1.0 : static_cast<double>(step + 1) / static_cast<double>(warmup + 1);
}

/// How far `step` is between the end of warm-up and `steps`, in [0, 1].
constexpr double progress(std::size_t step, std::size_t warmup, std::size_t steps) {
  if (step <= warmup) return 0.0;
  return step >= steps ? 1.0 : static_cast<double>(step - warmup) / static_cast<double>(steps - warmup);
}

} // namespace detail

/// Always `rate`, after warm-up.
struct constant_rate {
  double rate;            ///< after warm-up
  std::size_t warmup = 0; ///< steps of it

  /// The rate of step `step`.
  double operator()(std::size_t step) const { return rate * detail::warmed_up(step, warmup); }
};

/// From `rate` to `least` at `steps` along half a cosine (Loshchilov & Hutter 2017), as nanoGPT has it.
struct cosine_rate {
  double rate, least;     ///< at the end of warm-up, and from `steps` on
  std::size_t steps;      ///< all steps, those of warm-up among them
  std::size_t warmup = 0; ///< steps of it

  /// The rate of step `step`.
  double operator()(std::size_t step) const {
    if (step < warmup) return rate * detail::warmed_up(step, warmup);
    const double share = 0.5 * (1 + std::cos(std::numbers::pi * detail::progress(step, warmup, steps)));
    return least + share * (rate - least);
  }
};

/// From `rate` to `least` at `steps` along a line.
struct linear_rate {
  double rate, least;     ///< at the end of warm-up, and from `steps` on
  std::size_t steps;      ///< all steps, those of warm-up among them
  std::size_t warmup = 0; ///< steps of it

  /// The rate of step `step`.
  double operator()(std::size_t step) const {
    if (step < warmup) return rate * detail::warmed_up(step, warmup);
    return rate + detail::progress(step, warmup, steps) * (least - rate);
  }
};

/// rate · √(w / step), w = max(warmup, 1): the inverse square root of Vaswani et al. 2017, section 5.3,
/// written with its greatest rate.
struct inverse_square_root_rate {
  double rate;            ///< the greatest, at the end of warm-up
  std::size_t warmup = 0; ///< steps of it

  /// The rate of step `step`.
  double operator()(std::size_t step) const {
    if (step < warmup) return rate * detail::warmed_up(step, warmup);
    const auto peak = static_cast<double>(std::max<std::size_t>(warmup, 1));
    return rate * std::sqrt(peak / std::max(peak, static_cast<double>(step)));
  }
};

} // namespace transept::inline TRANSEPT_ABI
