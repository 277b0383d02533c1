// Sinusoids in each layout (layers/positions/sinusoids.hpp).
#pragma once

#include <cmath>

#include <transept/layers/positions/sinusoids.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION void fill_sinusoid(sinusoid_layout layout, std::size_t position, std::size_t width,
                                     float* row) {
  const auto at = static_cast<double>(position);
  const std::size_t sines = layout == sinusoid_layout::fairseq ? width / 2 : (width + 1) / 2;
  if (layout == sinusoid_layout::fairseq) { // in f32, as there; one pair has the frequency 1
    const double step = std::log(10000.0) / (width > 3 ? static_cast<double>(sines - 1) : 1.0);
    for (std::size_t i = 0; i < sines; ++i) {
      const auto exponent = static_cast<float>(i) * static_cast<float>(-step);
      const float angle = static_cast<float>(position) * std::exp(exponent);
      row[i] = std::sin(angle);
      row[sines + i] = std::cos(angle);
    }
    if (width % 2 == 1) row[width - 1] = 0.0f;
    return;
  }
  const bool interleaved = layout == sinusoid_layout::interleaved;
  for (std::size_t i = 0; i < sines; ++i) {
    const double angle = at / std::pow(10000.0, static_cast<double>(2 * i) / static_cast<double>(width));
    row[interleaved ? 2 * i : i] = static_cast<float>(std::sin(angle));
    const std::size_t cosine = interleaved ? 2 * i + 1 : sines + i;
    if (cosine < width) row[cosine] = static_cast<float>(std::cos(angle));
  }
}

TRANSEPT_FUNCTION void fill_sinusoids(sinusoid_layout layout, std::size_t positions, std::size_t width,
                                      float* table) {
  for (std::size_t p = 0; p < positions; ++p) fill_sinusoid(layout, p, width, table + p * width);
}

} // namespace transept::inline TRANSEPT_ABI
