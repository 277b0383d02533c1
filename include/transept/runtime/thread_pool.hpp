// A small thread pool for one purpose: run the same function on every thread and wait for all.
//
// Work is divided by a fixed rule (parallel_for below), never stolen, so that which thread computes what
// depends only on the number of threads; and since it is divided over outputs, the results do not even
// depend on that. Waiting threads spin briefly, then sleep. The calling thread works too: a pool of one
// starts no thread at all. No call allocates.
//
// Thread-safety: several threads may call run() on one pool at once; they take turns.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#if defined(__linux__)
#include <sched.h>
#endif

#include <transept/core/error.hpp>

namespace transept::inline TRANSEPT_ABI {

/// The processors this process may run on (Linux: its affinity mask), at least 1.
inline int available_processors() {
#if defined(__linux__)
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
#endif
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

class thread_pool {
public:
  static constexpr int max_threads = 1024;

  /// Starts `threads` - 1 threads; 0 means one per available processor.
  /// Throws argument_error for a negative or absurd number.
  explicit thread_pool(int threads = 0) {
    if (threads < 0 || threads > max_threads)
      throw argument_error("the number of threads must be from 1 to " + std::to_string(max_threads) +
                           " (or 0 for one per processor); got " + std::to_string(threads));
    const int count = threads == 0 ? available_processors() : threads;
    parts_done_ = std::make_unique<counter[]>(static_cast<std::size_t>(count));
    size_ = count;
    try {
      for (int i = 1; i < count; ++i) threads_.emplace_back([this, i] { work(i); });
    } catch (...) {
      stop();
      throw;
    }
  }

  ~thread_pool() { stop(); }

  thread_pool(const thread_pool&) = delete;
  thread_pool& operator=(const thread_pool&) = delete;

  int size() const { return size_; }

  /// Calls `f(thread, size())` once on every thread, `thread` from 0 (the caller) to size() - 1, and returns
  /// when all are done. `f` must not throw and must not call run() on this pool.
  template <class F>
  void run(F&& f) {
    if (size_ == 1) {
      f(0, 1);
      return;
    }
    const std::lock_guard turn(turn_);
    task_ = [](void* function, int thread, int count) {
      (*static_cast<std::remove_reference_t<F>*>(function))(thread, count);
    };
    argument_ = const_cast<void*>(static_cast<const void*>(std::addressof(f)));
    unfinished_.store(static_cast<std::uint32_t>(size_ - 1), std::memory_order_relaxed);
    round_.fetch_add(1, std::memory_order_release);
    round_.notify_all();
    f(0, size_);
    for (int spin = 0; unfinished_.load(std::memory_order_acquire) != 0; ++spin) {
      if (spin < spins) {
        pause();
      } else if (const auto left = unfinished_.load(std::memory_order_acquire); left != 0) {
        unfinished_.wait(left, std::memory_order_acquire);
      }
    }
  }

  /// How many non-empty parts of parallel_for thread `i` has computed so far.
  std::uint64_t parts_done(int i) const {
    return parts_done_[static_cast<std::size_t>(i)].value.load(std::memory_order_relaxed);
  }

  void count_part(int i) {
    parts_done_[static_cast<std::size_t>(i)].value.fetch_add(1, std::memory_order_relaxed);
  }

private:
  struct alignas(64) counter {
    std::atomic<std::uint64_t> value{0};
  };

  // About 50 µs: longer than the gaps between the kernels of one token and between two tokens, and about what
  // it costs to wake a thread of a virtual machine.
  static constexpr int spins = 2000;

  static void pause() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
  }

  void work(int thread) {
    std::uint32_t seen = 0;
    for (;;) {
      for (int spin = 0; round_.load(std::memory_order_acquire) == seen; ++spin) {
        if (spin < spins) {
          pause();
        } else {
          round_.wait(seen, std::memory_order_acquire);
        }
      }
      ++seen;
      if (stopping_.load(std::memory_order_relaxed)) return;
      task_(argument_, thread, size_);
      if (unfinished_.fetch_sub(1, std::memory_order_acq_rel) == 1) unfinished_.notify_one();
    }
  }

  void stop() {
    stopping_.store(true, std::memory_order_relaxed);
    round_.fetch_add(1, std::memory_order_release);
    round_.notify_all();
    for (auto& thread : threads_) thread.join();
  }

  int size_ = 1;
  std::unique_ptr<counter[]> parts_done_;
  std::mutex turn_;
  void (*task_)(void*, int, int) = nullptr;
  void* argument_ = nullptr;
  std::atomic<bool> stopping_{false};
  alignas(64) std::atomic<std::uint32_t> round_{0};
  alignas(64) std::atomic<std::uint32_t> unfinished_{0};
  std::vector<std::thread> threads_;
};

/// Divides [0, count) into one contiguous part per thread, each a multiple of `grain` long (the last may be
/// shorter), and calls `f(begin, end, thread)` for each part that is not empty.
template <class F>
void parallel_for(thread_pool& pool, std::size_t count, std::size_t grain, F&& f) {
  const std::size_t grains = (count + grain - 1) / grain;
  if (grains <= 1) {
    if (count != 0) {
      pool.count_part(0);
      f(std::size_t{0}, count, 0);
    }
    return;
  }
  pool.run([&](int thread, int threads) {
    const auto t = static_cast<std::size_t>(thread);
    const auto n = static_cast<std::size_t>(threads);
    const std::size_t begin = std::min(count, grains * t / n * grain);
    const std::size_t end = std::min(count, grains * (t + 1) / n * grain);
    if (begin < end) {
      pool.count_part(thread);
      f(begin, end, thread);
    }
  });
}

} // namespace transept::inline TRANSEPT_ABI
