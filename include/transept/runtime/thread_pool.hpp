// A small thread pool for one purpose: run the same function on every thread and wait for all.
//
// Work is divided over outputs (parallel_for below), so that results do not depend on which thread computes
// what. Every thread begins with a share of its own; whoever is done first takes of what others have left,
// because processors are not equally fast: they have small and large cores, or share a core with something
// else. Waiting threads spin briefly, then sleep. The calling thread works too: a pool of one starts no
// thread at all. No call allocates.
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
    parts_ = std::make_unique<part_of_range[]>(static_cast<std::size_t>(count));
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
    run_all(f);
  }

  /// Calls `f(begin, end, thread)` for pieces that make up [0, count), and returns when all are done. Thread
  /// t has the t-th part of it: the first half of that is always its own, the rest goes, in ever smaller
  /// pieces, to whoever comes first. As for run(), `f` must not throw.
  template <class F>
  void share(std::size_t count, F&& f) {
    using function = std::remove_reference_t<F>;
    share_pieces(count, const_cast<void*>(static_cast<const void*>(std::addressof(f))),
                 [](void* own, std::size_t begin, std::size_t end, int thread) {
                   (*static_cast<function*>(own))(begin, end, thread);
                 });
  }

  /// How many times thread `i` has had a part of a shared range so far.
  std::uint64_t parts_done(int i) const {
    return parts_[static_cast<std::size_t>(i)].done.load(std::memory_order_relaxed);
  }

private:
  struct range {
    std::size_t begin, end;
    bool empty() const { return begin == end; }
  };

  static range first_half(range part) { return {part.begin, part.begin + (part.end - part.begin + 1) / 2}; }

  /// What one thread has of the range that is being shared; a cache line of its own.
  struct alignas(64) part_of_range {
    std::atomic<std::size_t> taken{0}; ///< up to here
    std::atomic<std::uint64_t> done{0};
  };

  // A part is taken by halves, down to this share of it: few calls, and little left to wait for at the end.
  static constexpr std::size_t least_share = 16;

  // How many other parts a thread that is done looks into (and its own).
  static constexpr std::size_t most_helped = 8;

  /// A piece of `part` that nobody else has, or an empty one.
  static range take(range part, std::atomic<std::size_t>& taken) {
    const std::size_t least = (part.end - part.begin + least_share - 1) / least_share;
    std::size_t begin = taken.load(std::memory_order_relaxed);
    while (begin < part.end) {
      const std::size_t left = part.end - begin;
      const std::size_t end = begin + std::min(left, std::max((left + 1) / 2, least));
      if (taken.compare_exchange_weak(begin, end, std::memory_order_relaxed)) return {begin, end};
    }
    return {part.end, part.end};
  }

  void count_part(int i) { parts_[static_cast<std::size_t>(i)].done.fetch_add(1, std::memory_order_relaxed); }

  /// share(), the same code for every function.
  void share_pieces(std::size_t count, void* function,
                    void (*call)(void*, std::size_t begin, std::size_t end, int thread)) {
    if (size_ == 1 || count <= 1) {
      if (count != 0) {
        count_part(0);
        call(function, 0, count, 0);
      }
      return;
    }
    const std::lock_guard turn(turn_);
    const auto threads = static_cast<std::size_t>(size_);
    const auto part = [&](std::size_t t) { return range{count * t / threads, count * (t + 1) / threads}; };
    for (std::size_t t = 0; t < threads; ++t) {
      parts_[t].taken.store(first_half(part(t)).end, std::memory_order_relaxed);
    }
    const auto work_on_parts = [&](int thread, int) {
      const auto own = static_cast<std::size_t>(thread);
      range piece = first_half(part(own));
      if (!piece.empty()) count_part(thread);
      for (std::size_t exhausted = 0; exhausted < std::min(threads, most_helped);) {
        if (!piece.empty()) call(function, piece.begin, piece.end, thread);
        const std::size_t t = (own + exhausted) % threads;
        piece = take(part(t), parts_[t].taken);
        if (piece.empty()) ++exhausted;
      }
    };
    run_all(work_on_parts);
  }

  /// run(), whose turn it is.
  template <class F>
  void run_all(F& f) {
    task_ = [](void* function, int thread, int count) { (*static_cast<F*>(function))(thread, count); };
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
  std::unique_ptr<part_of_range[]> parts_;
  std::mutex turn_;
  void (*task_)(void*, int, int) = nullptr;
  void* argument_ = nullptr;
  std::atomic<bool> stopping_{false};
  alignas(64) std::atomic<std::uint32_t> round_{0};
  alignas(64) std::atomic<std::uint32_t> unfinished_{0};
  std::vector<std::thread> threads_;
};

/// Divides [0, count) over the threads, in pieces that are multiples of `grain` long (the last may be
/// shorter), and calls `f(begin, end, thread)` for each: several times on a thread, never for an empty one.
template <class F>
void parallel_for(thread_pool& pool, std::size_t count, std::size_t grain, F&& f) {
  pool.share((count + grain - 1) / grain, [&](std::size_t begin, std::size_t end, int thread) {
    f(begin * grain, std::min(count, end * grain), thread);
  });
}

} // namespace transept::inline TRANSEPT_ABI
