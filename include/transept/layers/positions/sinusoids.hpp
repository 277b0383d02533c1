// Fixed positions: sines and cosines of geometrically spaced wavelengths (Vaswani et al. 2017, § 3.5),
//
//   PE(position, 2i) = sin(position / 10000^(2i / width)),   PE(position, 2i + 1) = cos(…)
//
// and how others lay them out.
#pragma once

#include <cstddef>
#include <cstdint>

#include <transept/core/version.hpp>

namespace transept::inline TRANSEPT_ABI {

/// How a row has them.
enum class sinusoid_layout : std::uint8_t {
  interleaved, ///< sine and cosine of a frequency side by side: the paper, DistilBERT
  halves,      ///< all sines, then all cosines: Marian, Pegasus, Transformer-XL, XLNet
  fairseq ///< halves, but wavelengths from 2π to 10000 · 2π inclusive: tensor2tensor, FSMT, M2M-100, Whisper
};

/// row [width] = the sinusoids of a position. An odd width has one cosine less, in fairseq's layout a 0 at
/// its end.
TRANSEPT_FUNCTION void fill_sinusoid(sinusoid_layout layout, std::size_t position, std::size_t width,
                                     float* row);

/// table [positions, width] = the sinusoids of positions 0, 1, …
TRANSEPT_FUNCTION void fill_sinusoids(sinusoid_layout layout, std::size_t positions, std::size_t width,
                                      float* table);

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/layers/positions/impl/sinusoids.hpp>
#endif
