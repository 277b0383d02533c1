// What the machine can do at most, measured in the same run as the kernels, so that they can be printed as
// fractions of it: bytes read from memory per second, bytes read and written, and multiply-adds.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <benchmark/benchmark.h>

#include <common/arithmetic.hpp>

#include <transept/kernels/vector/x86/amx.hpp>
#include <transept/runtime/thread_pool.hpp>
#include <transept/simd/batch.hpp>
#include <transept/simd/unroll.hpp>
#include <transept/tensor/buffer.hpp>

namespace bench {

namespace simd = transept::simd;

/// Seconds that `f` takes, the least of `times`.
template <class F>
double least_seconds(int times, F&& f) {
  double least = 1e30;
  for (int i = 0; i < times; ++i) {
    const auto start = std::chrono::steady_clock::now();
    f();
    least = std::min(least, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return least;
}

/// Seconds that one call of `f` takes, of as many as fill a millisecond.
template <class F>
double seconds_of(F&& f) {
  const double once = least_seconds(3, f);
  const int times = 1 + static_cast<int>(1e-3 / (once + 1e-9));
  return least_seconds(10,
                       [&] {
                         for (int i = 0; i < times; ++i) f();
                       }) /
         times;
}

/// One large block that all benchmarks take their weights from, several times larger than the caches. Its
/// bits are ordinary numbers of every element type: 1 as f16, 1/128 as bf16 and about as f32.
class weight_memory {
public:
  static weight_memory& get() {
    static weight_memory memory;
    return memory;
  }

  std::size_t bytes() const { return block_.size() * sizeof(std::uint16_t); }
  const void* at(std::size_t byte) const { return block_.data() + byte / sizeof(std::uint16_t); }

private:
  weight_memory() : block_((std::size_t{384} << 20) / sizeof(std::uint16_t)) {
    std::fill_n(block_.data(), block_.size(), std::uint16_t{0x3c00});
  }
  transept::buffer<std::uint16_t> block_;
};

/// Where the weights of consecutive calls lie: copies of `bytes` one behind the other, then the first again,
/// as a model's layers follow each other through memory.
class rotation {
public:
  explicit rotation(std::size_t bytes)
      : bytes_((bytes + 63) / 64 * 64),
        copies_(std::max<std::size_t>(1, weight_memory::get().bytes() / bytes_)) {}
  const void* next() { return weight_memory::get().at(next_++ % copies_ * bytes_); }

private:
  std::size_t bytes_, copies_;
  std::size_t next_ = 0;
};

/// Bytes per second that `threads` read from memory, in eight streams each, fetched ahead, doing nothing else
/// with them: the best of some passes, for others may be disturbed.
inline double read_bandwidth(transept::thread_pool& threads) {
  constexpr std::size_t streams = 8, ahead = 512;
  const std::size_t count = (std::size_t{128} << 20) / sizeof(float);
  const float* const data = static_cast<const float*>(weight_memory::get().at(0));
  const double seconds = least_seconds(10, [&] {
    transept::parallel_for(threads, count, streams * 64, [&](std::size_t begin, std::size_t end, int) {
      const std::size_t length = (end - begin) / streams;
      simd::batch sums[streams];
      simd::unroll<streams>([&](auto s) { sums[s] = simd::broadcast(0.0f); });
      for (std::size_t i = 0; i < length; i += 2 * simd::width) { // a cache line, or most of one
        simd::unroll<streams>([&](auto s) {
          const float* from = data + begin + s * length + i;
          __builtin_prefetch(reinterpret_cast<const char*>(from) + ahead);
          sums[s] = sums[s] + simd::load(from) + simd::load(from + simd::width);
        });
      }
      simd::unroll<streams>([&](auto s) { benchmark::DoNotOptimize(sums[s]); });
    });
  });
  return static_cast<double>(count * sizeof(float)) / seconds;
}

/// Bytes per second that `threads` read and write at most, again and again `bytes` of them: in the caches,
/// where these hold as much. Numbers are changed in place or copied, whichever is faster.
inline double read_write_bandwidth(transept::thread_pool& threads, double bytes) {
  constexpr std::size_t grain = 1024;
  const std::size_t grains = static_cast<std::size_t>(bytes) / (2 * sizeof(float) * grain) + 1;
  transept::buffer<float> from(grains * grain), to(grains * grain);
  std::fill_n(from.data(), from.size(), 1.0f);
  simd::batch factor = simd::broadcast(1.0f);
  benchmark::DoNotOptimize(factor);
  const auto seconds = [&](auto&& move) {
    return seconds_of([&] {
      transept::parallel_for(threads, from.size(), grain, move);
      benchmark::ClobberMemory();
    });
  };
  const double copying = seconds([&](std::size_t begin, std::size_t end, int) {
    std::copy_n(from.data() + begin, end - begin, to.data() + begin);
  });
  const double changing = seconds([&](std::size_t begin, std::size_t end, int) {
    for (float* at = from.data() + begin; at < from.data() + end; at += 4 * simd::width)
      simd::unroll<4>(
          [&](auto i) { simd::store(at + i * simd::width, simd::load(at + i * simd::width) * factor); });
  });
  return static_cast<double>(2 * from.size() * sizeof(float)) / std::min(copying, changing);
}

/// Seconds per iteration of a benchmark's loop, which it is made just before.
class stopwatch {
public:
  double seconds_per_iteration(const benchmark::State& state) const {
    const auto elapsed = std::chrono::steady_clock::now() - start_;
    return std::chrono::duration<double>(elapsed).count() / static_cast<double>(state.iterations());
  }

private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// Prints bytes per second, and as `of_read` what part that is of what as many threads read, measured now.
inline void report_bytes(benchmark::State& state, const stopwatch& watch, transept::thread_pool& threads,
                         double bytes_per_iteration) {
  const double rate = bytes_per_iteration / watch.seconds_per_iteration(state);
  state.counters["B/s"] = benchmark::Counter(rate);
  state.counters["of_read"] = benchmark::Counter(rate / read_bandwidth(threads));
}

/// Prints bytes read and written per second, and as `of_read_write` what part that is of what as many threads
/// read and write, measured now.
inline void report_read_write(benchmark::State& state, const stopwatch& watch, transept::thread_pool& threads,
                              double bytes_per_iteration) {
  const double rate = bytes_per_iteration / watch.seconds_per_iteration(state);
  state.counters["B/s"] = benchmark::Counter(rate);
  state.counters["of_read_write"] =
      benchmark::Counter(rate / read_write_bandwidth(threads, bytes_per_iteration));
}

/// What does a kernel's arithmetic.
enum class arithmetic_unit { multiply_adds, bf16_dot_products, amx_bf16, amx_int8 };

/// Operations per second of `threads` in that unit, in registers.
inline double arithmetic_peak(transept::thread_pool& threads, [[maybe_unused]] arithmetic_unit unit) {
#if TRANSEPT_HAS_AMX
  namespace amx = transept::kernels::amx;
  if (unit == arithmetic_unit::amx_bf16 || unit == arithmetic_unit::amx_int8) {
    constexpr int steps = 20'000;
    const double seconds = least_seconds(3, [&] {
      threads.run([&](int, int) {
        static constexpr amx::tile_sizes whole;
        const amx::tile_scope use_tiles(whole);
        alignas(64) const std::byte zeros[amx::tile_bytes]{};
        amx::finish_stores();
        // Each a statement: GCC's are macros of statements.
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
        _tile_loadd(4, zeros, amx::tile_row_bytes);
        _tile_loadd(5, zeros, amx::tile_row_bytes);
        _tile_loadd(6, zeros, amx::tile_row_bytes);
        _tile_loadd(7, zeros, amx::tile_row_bytes);
        for (int step = 0; step < steps; ++step) {
          if (unit == arithmetic_unit::amx_bf16) {
            _tile_dpbf16ps(0, 4, 6);
            _tile_dpbf16ps(1, 4, 7);
            _tile_dpbf16ps(2, 5, 6);
            _tile_dpbf16ps(3, 5, 7);
          } else {
            _tile_dpbssd(0, 4, 6);
            _tile_dpbssd(1, 4, 7);
            _tile_dpbssd(2, 5, 6);
            _tile_dpbssd(3, 5, 7);
          }
        }
      });
    });
    const double bytes_per_number = unit == arithmetic_unit::amx_bf16 ? 2 : 1;
    const double operations =
        2 * amx::tile_rows * 16 * amx::tile_row_bytes / bytes_per_number; // of a product
    return 4 * steps * operations * threads.size() / seconds;
  }
#endif
#if TRANSEPT_HAS_BF16_DOT
  if (unit == arithmetic_unit::bf16_dot_products) {
    constexpr int steps = 200'000, chains = 16;
    const double seconds = least_seconds(3, [&] {
      threads.run([&](int, int) {
        __m512 sums[chains];
        const auto zeros = reinterpret_cast<__m512bh>(_mm512_setzero_si512());
        transept::simd::unroll<chains>([&](auto i) { sums[i] = _mm512_setzero_ps(); });
        for (int step = 0; step < steps; ++step)
          transept::simd::unroll<chains>([&](auto i) TRANSEPT_ALWAYS_INLINE {
            sums[i] = _mm512_dpbf16_ps(sums[i], zeros, zeros);
            asm volatile("" : "+v"(sums[i])); // or the compiler, who knows the sum, leaves it out
          });
      });
    });
    return 64.0 * chains * steps * threads.size() / seconds;
  }
#endif
  return examples::arithmetic_peak(threads);
}

/// Prints operations per second, and as `of_peak` what part of the peak of the unit that does them, measured
/// now.
inline void report_flops(benchmark::State& state, const stopwatch& watch, transept::thread_pool& threads,
                         double flops_per_iteration, arithmetic_unit unit = arithmetic_unit::multiply_adds) {
  const double rate = flops_per_iteration / watch.seconds_per_iteration(state);
  state.counters["FLOP/s"] = benchmark::Counter(rate);
  double peak = 0;
  for (int i = 0; i < 8; ++i) peak = std::max(peak, arithmetic_peak(threads, unit)); // some may be disturbed
  state.counters["of_peak"] = benchmark::Counter(rate / peak);
}

/// The published sizes, and what their kernels work on.
struct model_size {
  const char* name;
  std::size_t width, heads;
};
inline constexpr model_size model_sizes[] = {
    {"124M", 768, 12}, {"355M", 1024, 16}, {"774M", 1280, 20}, {"1558M", 1600, 25}};

/// Ordinary activations.
inline transept::buffer<float> activations(std::size_t count) {
  transept::buffer<float> values(count);
  for (std::size_t i = 0; i < count; ++i)
    values.data()[i] = static_cast<float>(static_cast<int>(i * 37 % 101) - 50) / 50.0f;
  return values;
}

} // namespace bench
