// Twins of rotary positions: turning by the complex product that the paper begins with (Su et al. 2021, eq.
// 12), and the frequencies of every scaling, as the papers and Hugging Face's transformers have them, in
// double.
#pragma once

#include <cmath>
#include <complex>
#include <cstddef>
#include <numbers>
#include <vector>

#include <transept/layers/positions/rotary.hpp>

namespace reference {

/// One head [head_width], its first 2 · factors.size() numbers taken as complex ones and multiplied by
/// `factors`.
inline std::vector<double> rotate(std::vector<double> head, const std::vector<std::complex<double>>& factors,
                                  transept::rotary_pairing pairing) {
  const bool halves = pairing == transept::rotary_pairing::halves;
  for (std::size_t i = 0; i < factors.size(); ++i) {
    double& real = head[halves ? i : 2 * i];
    double& imaginary = head[halves ? i + factors.size() : 2 * i + 1];
    const std::complex<double> turned = std::complex<double>(real, imaginary) * factors[i];
    real = turned.real();
    imaginary = turned.imag();
  }
  return head;
}

struct rotary_frequencies {
  std::vector<double> inverse; ///< angle per position
  double attention_factor;
};

inline rotary_frequencies rotary_frequencies_of(const transept::rotary_settings& s, double length) {
  using std::log, std::pow, std::numbers::pi;
  using enum transept::rotary_scaling;
  const auto d = static_cast<double>(s.width);
  const auto most = static_cast<double>(s.max_position_embeddings);
  const double original =
      s.original_max_position_embeddings ? static_cast<double>(s.original_max_position_embeddings) : most;
  const double factor = s.factor ? *s.factor : most / original;
  double base = s.base;
  if (s.scaling == dynamic && length > most) base *= pow(factor * length / most - (factor - 1), d / (d - 2));

  rotary_frequencies result{{}, 1};
  for (std::size_t i = 0; i < s.width / 2; ++i) {
    const auto pair = static_cast<double>(i);
    double theta = pow(base, -2 * pair / d);
    const double wavelength = 2 * pi / theta;
    switch (s.scaling) {
    case linear:
      theta /= factor;
      break;
    case yarn: {
      double low = d * log(original / (s.beta_fast * 2 * pi)) / (2 * log(base));
      double high = d * log(original / (s.beta_slow * 2 * pi)) / (2 * log(base));
      if (s.truncate) low = std::floor(low), high = std::ceil(high);
      low = std::fmax(low, 0);
      high = std::fmin(high, d - 1);
      if (low == high) high += 0.001;
      const double ramp = std::fmin(std::fmax((pair - low) / (high - low), 0), 1);
      theta = theta / factor * ramp + theta * (1 - ramp);
      break;
    }
    case longrope:
      theta /= static_cast<double>(length > original ? s.long_factor[i] : s.short_factor[i]);
      break;
    case llama3:
      if (wavelength > original / s.low_freq_factor) {
        theta /= factor;
      } else if (wavelength >= original / s.high_freq_factor) {
        const double smooth =
            (original / wavelength - s.low_freq_factor) / (s.high_freq_factor - s.low_freq_factor);
        theta = (1 - smooth) * theta / factor + smooth * theta;
      }
      break;
    case none:
    case dynamic:
      break;
    }
    result.inverse.push_back(theta);
  }

  const auto magnitude = [&](double scale) { return factor <= 1 ? 1 : 0.1 * scale * log(factor) + 1; };
  if (s.scaling == yarn)
    result.attention_factor = s.mscale != 0 && s.mscale_all_dim != 0
                                  ? magnitude(s.mscale) / magnitude(s.mscale_all_dim)
                                  : magnitude(1);
  if (s.scaling == longrope && factor > 1)
    result.attention_factor = std::sqrt(1 + log(factor) / log(original));
  if (s.scaling == yarn || s.scaling == longrope)
    result.attention_factor = s.attention_factor.value_or(result.attention_factor);
  return result;
}

} // namespace reference
