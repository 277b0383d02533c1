// The vector type kernels are written in: a batch of f32 as wide as the build's instruction set allows.
//
// This is the only header that includes xsimd. Kernels written on `batch` are width-agnostic and run on
// SSE2, AVX2, AVX-512 and NEON. Two rules keep results the same bits however work is divided:
//   - a lane's result depends on that lane alone, so a tail is padded to a whole batch and computed with
//     the very same operations (load_partial, store_partial);
//   - multiply-adds that matter are written as fma().
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include <transept/core/element_type.hpp>

#if defined(__F16C__) || defined(__AVX2__)
// GCC before 13 begins the unused operands of its AVX-512 intrinsics with `__m512 y = y`, and then warns of
// them wherever it inlined them. Only what stands in its own headers is silenced here.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop
#else
#include <immintrin.h>
#endif
#endif

#include <xsimd/xsimd.hpp>

namespace transept::inline TRANSEPT_ABI::simd::inline TRANSEPT_ISA {

/// f32 lanes of the widest vector that the build's flags allow.
using batch = xsimd::batch<float>;
inline constexpr std::size_t width = batch::size;

/// Vector registers of the architecture: what a register-blocked kernel can hold.
#if defined(__AVX512F__) || defined(__aarch64__)
inline constexpr std::size_t registers = 32;
#else
inline constexpr std::size_t registers = 16;
#endif

inline batch broadcast(float value) { return batch(value); }
inline batch load(const float* from) { return batch::load_unaligned(from); }
inline void store(float* to, batch value) { value.store_unaligned(to); }

/// The first `count` (< width) elements; the other lanes are 0.
template <class T>
batch load_partial(const T* from, std::size_t count);

inline void store_partial(float* to, batch value, std::size_t count) {
  alignas(64) float lanes[width];
  value.store_aligned(lanes);
  std::memcpy(to, lanes, count * sizeof(float));
}

/// The same value, in a register of its own: GCC folds a load into each of its uses, and a loop that has two
/// of them then loads twice as much as it need.
inline batch in_register(batch value) {
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__)
  batch::register_type bits = value;
  asm("" : "+v"(bits));
  return batch(bits);
#else
  return value;
#endif
}
#if defined(__AVX512F__) && defined(__GNUC__)
inline __m512i in_register(__m512i bits) {
  asm("" : "+v"(bits));
  return bits;
}
#endif

namespace detail {

/// The same bits as another type of lane. (xsimd's bitwise_cast names a batch up to version 9, a scalar
/// later.)
template <class To, class From>
To same_bits(From from) {
  typename From::register_type bits = from;
  typename To::register_type result;
  static_assert(sizeof bits == sizeof result);
  std::memcpy(&result, &bits, sizeof bits);
  return To(result);
}

} // namespace detail

/// a · b + c: rounded once where the build has fused multiply-add, else twice.
inline batch fma(batch a, batch b, batch c) { return xsimd::fma(a, b, c); }
inline batch max(batch a, batch b) { return xsimd::max(a, b); }
inline batch sqrt(batch x) { return xsimd::sqrt(x); }
/// x where it is not negative, else 0; NaN stays NaN.
inline batch without_negatives(batch x) { return xsimd::select(x < batch(0.0f), batch(0.0f), x); }
/// 1 where x is positive, else 0.
inline batch is_positive(batch x) { return xsimd::select(x > batch(0.0f), batch(1.0f), batch(0.0f)); }

inline batch abs(batch x) { return xsimd::abs(x); }
/// a > b ? x : y, lane by lane.
inline batch select_greater(batch a, batch b, batch x, batch y) { return xsimd::select(a > b, x, y); }

/// 32-bit integers, as many as a batch has lanes.
using int_batch = xsimd::batch<std::int32_t>;
inline batch to_float(int_batch value) { return xsimd::to_float(value); }
/// `width` integers as f32, exact below 2²⁴.
inline batch to_float(const std::int32_t* from) { return to_float(int_batch::load_unaligned(from)); }
inline int_batch clamp(int_batch x, std::int32_t least, std::int32_t most) {
  return xsimd::min(xsimd::max(x, int_batch(least)), int_batch(most));
}
/// The bits, at any address.
inline void store_bits(void* to, int_batch value) { value.store_unaligned(static_cast<std::int32_t*>(to)); }

/// Sum of all lanes, in one fixed order.
inline float sum(batch value) {
#if XSIMD_VERSION_MAJOR >= 9
  return xsimd::reduce_add(value);
#else
  return xsimd::hadd(value);
#endif
}

/// The greatest lane. NaN lanes may or may not show.
inline float greatest(batch value) {
#if defined(__SSE2__)
#if defined(__AVX512F__)
  const __m256d upper = _mm512_extractf64x4_pd(_mm512_castps_pd(value), 1);
  const __m256 eight = _mm256_max_ps(_mm512_castps512_ps256(value), _mm256_castpd_ps(upper));
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
#elif defined(__AVX__)
  const __m256 eight = value;
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
#else
  const __m128 four = value;
#endif
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_shuffle_ps(two, two, 1)));
#else
  alignas(64) float lanes[width];
  value.store_aligned(lanes);
  float result = lanes[0];
  for (std::size_t i = 1; i < width; ++i) result = lanes[i] > result ? lanes[i] : result;
  return result;
#endif
}

namespace detail {

using integers = xsimd::batch<std::uint32_t>;

/// `width` 16-bit patterns, widened with zeros to 32 bits.
inline integers load_widened(const void* from) {
#if defined(__AVX512F__) && defined(__AVX512BW__)
  __m256i narrow;
  std::memcpy(&narrow, from, sizeof narrow);
  return integers(_mm512_cvtepu16_epi32(narrow));
#elif defined(__AVX2__) // GCC 12 makes five instructions of the vector conversion below
  __m128i narrow;
  std::memcpy(&narrow, from, sizeof narrow);
  return integers(_mm256_cvtepu16_epi32(narrow));
#elif defined(__GNUC__)
  using narrow = std::uint16_t __attribute__((vector_size(width * 2)));
  using wide = std::uint32_t __attribute__((vector_size(width * 4)));
  narrow bits;
  std::memcpy(&bits, from, sizeof bits);
  const wide widened = __builtin_convertvector(bits, wide);
  integers::register_type lanes;
  static_assert(sizeof lanes == sizeof widened);
  std::memcpy(&lanes, &widened, sizeof lanes);
  return integers(lanes);
#else
  std::uint16_t narrow[width];
  alignas(64) std::uint32_t wide[width];
  std::memcpy(narrow, from, sizeof narrow);
  for (std::size_t i = 0; i < width; ++i) wide[i] = narrow[i];
  return integers::load_aligned(wide);
#endif
}

/// `width` pairs of 16-bit patterns, the first of each in the lower half.
inline integers load_pairs(const void* from) {
  integers::register_type lanes;
  std::memcpy(&lanes, from, sizeof lanes);
  return integers(lanes);
}

} // namespace detail

/// The integer nearest to a · b, ties to even, for |a · b| < 2²²: adding 1.5 · 2²³ leaves it in the low bits.
inline int_batch nearest_product(batch a, batch b) {
  return detail::same_bits<int_batch>(fma(a, b, broadcast(12582912.0f))) - int_batch(0x4b400000);
}

/// The f16 nearest to each lane, ties to even, as f32; infinite where |x| ≥ 65520.
inline batch nearest_f16(batch x) {
  using detail::integers;
  using detail::same_bits;
  const batch magnitude = xsimd::abs(x);
  const integers bits = same_bits<integers>(magnitude);
  const integers rounded = (bits + integers(0xfffu) + ((bits >> 13) & integers(1u))) & integers(~0x1fffu);
  // Below 2⁻¹⁴ f16 has steps of 2⁻²⁴, those of f32 from 1/2 to 1.
  const batch small = (magnitude + batch(0.5f)) - batch(0.5f);
  const batch finite = xsimd::select(magnitude < batch(0x1p-14f), small, same_bits<batch>(rounded));
  const batch result =
      xsimd::select(finite >= batch(65536.0f), same_bits<batch>(integers(0x7f800000u)), finite);
  return same_bits<batch>(same_bits<integers>(result) | (same_bits<integers>(x) & integers(0x80000000u)));
}

/// The bf16 nearest to each lane, ties to even, as f32; infinite where it overflows. NaN stays NaN.
inline batch nearest_bf16(batch x) {
  using detail::integers;
  const integers bits = detail::same_bits<integers>(x);
  const integers rounded = (bits + integers(0x7fffu) + ((bits >> 16) & integers(1u))) & integers(0xffff0000u);
  return xsimd::select(x == x, detail::same_bits<batch>(rounded), x);
}

/// Widening loads: `width` stored elements as f32.
inline batch load(const std::int8_t* from) {
#if defined(__AVX512F__)
  __m128i narrow;
  std::memcpy(&narrow, from, sizeof narrow);
  return batch(_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(narrow)));
#elif defined(__AVX2__)
  long long narrow;
  std::memcpy(&narrow, from, sizeof narrow);
  return batch(_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_cvtsi64_si128(narrow))));
#else
  alignas(64) std::int32_t wide[width];
  for (std::size_t i = 0; i < width; ++i) wide[i] = from[i];
  return to_float(wide);
#endif
}

/// Those of 2 · `width` elements whose index is even, and odd.
inline batch load_even(const bf16* from) { return detail::same_bits<batch>(detail::load_pairs(from) << 16); }
inline batch load_odd(const bf16* from) {
  return detail::same_bits<batch>(detail::load_pairs(from) & detail::integers(0xffff0000u));
}

inline batch load(const bf16* from) { return detail::same_bits<batch>(detail::load_widened(from) << 16); }

inline batch load(const f16* from) {
#if defined(__AVX512F__)
  __m256i half;
  std::memcpy(&half, from, sizeof half);
  return batch(_mm512_cvtph_ps(half));
#elif defined(__F16C__) && defined(__AVX__)
  __m128i half;
  std::memcpy(&half, from, sizeof half);
  return batch(_mm256_cvtph_ps(half));
#else
  // Move exponent and fraction into place and rebias by a multiplication, which is exact and also mends
  // subnormals; infinities and NaN get the f32 exponent 255.
  using detail::integers;
  using detail::same_bits;
  const integers bits = detail::load_widened(from);
  const integers magnitude = bits & integers(0x7fffu);
  const integers sign = (bits & integers(0x8000u)) << 16;
  const batch scaled = same_bits<batch>(magnitude << 13) * batch(0x1p112f);
  const batch exponent_full = same_bits<batch>((magnitude << 13) | integers(0x7f800000u));
  const batch absolute = xsimd::select(scaled >= batch(65536.0f), exponent_full, scaled);
  return same_bits<batch>(same_bits<integers>(absolute) | sign);
#endif
}

template <class T>
inline batch load_partial(const T* from, std::size_t count) {
  T padded[width] = {};
  std::memcpy(padded, from, count * sizeof(T));
  return load(padded);
}

/// The first `count` (≤ width) elements; the other lanes are 0. Fast where it is the whole width.
inline batch load_lanes(const float* from, std::size_t count) {
  return count == width ? load(from) : load_partial(from, count);
}

namespace detail {

/// a and b interleaved: lanes a₀ b₀ a₁ b₁ …, of their first halves, or of their second. (xsimd's zip does so
/// within each 128 bits only, up to version 8.)
template <std::size_t Half, std::size_t... I>
batch interleave(batch a, batch b, std::index_sequence<I...>) {
#if defined(__GNUC__)
  using lanes = float __attribute__((vector_size(width * sizeof(float))));
  lanes from_a, from_b;
  const batch::register_type bits_a = a, bits_b = b;
  std::memcpy(&from_a, &bits_a, sizeof from_a);
  std::memcpy(&from_b, &bits_b, sizeof from_b);
  const lanes mixed =
      __builtin_shufflevector(from_a, from_b, (Half * width / 2 + I / 2 + (I % 2) * width)...);
  batch::register_type result;
  std::memcpy(&result, &mixed, sizeof result);
  return batch(result);
#else
  alignas(64) float lanes[2][width], mixed[width];
  a.store_aligned(lanes[0]);
  b.store_aligned(lanes[1]);
  ((mixed[I] = lanes[I % 2][Half * width / 2 + I / 2]), ...);
  return batch::load_aligned(mixed);
#endif
}

} // namespace detail

namespace detail {

template <std::size_t... I>
batch swap_pairs(batch x, std::index_sequence<I...>) {
#if defined(__GNUC__)
  using lanes = float __attribute__((vector_size(width * sizeof(float))));
  lanes from;
  const batch::register_type bits = x;
  std::memcpy(&from, &bits, sizeof from);
  const lanes swapped = __builtin_shufflevector(from, from, (I ^ 1)...);
  batch::register_type result;
  std::memcpy(&result, &swapped, sizeof result);
  return batch(result);
#else
  alignas(64) float lanes[width];
  x.store_aligned(lanes);
  ((I % 2 == 0 ? std::swap(lanes[I], lanes[I + 1]) : void()), ...);
  return batch::load_aligned(lanes);
#endif
}

} // namespace detail

/// Lanes 2i and 2i + 1 exchanged.
inline batch swap_pairs(batch x) { return detail::swap_pairs(x, std::make_index_sequence<width>{}); }

/// A square of numbers mirrored: lane j of rows[i] becomes lane i of rows[j].
inline void transpose(batch (&rows)[width]) {
  constexpr std::make_index_sequence<width> all;
  for (std::size_t stage = 1; stage < width; stage *= 2) { // a perfect shuffle each time
    batch shuffled[width];
    for (std::size_t i = 0; i < width / 2; ++i) {
      shuffled[2 * i] = detail::interleave<0>(rows[i], rows[i + width / 2], all);
      shuffled[2 * i + 1] = detail::interleave<1>(rows[i], rows[i + width / 2], all);
    }
    for (std::size_t i = 0; i < width; ++i) rows[i] = shuffled[i];
  }
}

/// Stores the first `count` (≤ width) lanes.
inline void store_lanes(float* to, batch value, std::size_t count) {
  if (count == width)
    store(to, value);
  else
    store_partial(to, value, count);
}

} // namespace transept::inline TRANSEPT_ABI::simd::inline TRANSEPT_ISA
