// A small thread pool for one purpose: run the same function on every thread and wait for all.
//
// Work is divided over outputs (parallel_for below), so that results do not depend on which thread computes
// what. Every thread begins with a share of its own; whoever is done first takes of what others have left,
// because processors are not equally fast: they have small and large cores, or share a core with something
// else. Waiting threads spin briefly, then sleep. The calling thread works too: a pool of one starts no
// thread at all. No call allocates.
//
// Thread-safety: several threads may call run() on one pool at once; they take turns (but where there is
// nothing to divide, as in a pool of one: then each works by itself).
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/core/function_ref.hpp>

namespace transept::inline TRANSEPT_ABI {

/// The processors this process may run on (Linux: its affinity mask), at least 1.
TRANSEPT_FUNCTION int available_processors();

/// Threads that work together, the calling one among them.
class thread_pool {
public:
  static constexpr int max_threads = 1024; ///< more is taken for a mistake

  /// Starts `threads` - 1 threads; 0 means one per available processor.
  /// Throws argument_error for a negative or absurd number, and as instruction_set() does.
  explicit thread_pool(int threads = 0);

  ~thread_pool();

  thread_pool(const thread_pool&) = delete;
  thread_pool& operator=(const thread_pool&) = delete;

  int size() const { return size_; } ///< threads, the calling one too

  /// Calls `f(thread, size())` once on every thread, `thread` from 0 (the caller) to size() - 1, and returns
  /// when all are done. `f` must not throw and must not call run() on this pool.
  void run(function_ref<void(int thread, int count)> f);

  /// Calls `f(begin, end, thread)` for pieces that make up [0, count), and returns when all are done. Thread
  /// t has the t-th part of it: the first half of that is always its own, the rest goes, in ever smaller
  /// pieces, to whoever comes first. As for run(), `f` must not throw.
  void share(std::size_t count, function_ref<void(std::size_t begin, std::size_t end, int thread)> f);

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
  static range take(range part, std::atomic<std::size_t>& taken);

  void count_part(int i) { parts_[static_cast<std::size_t>(i)].done.fetch_add(1, std::memory_order_relaxed); }

  /// run(), whose turn it is.
  void run_all(function_ref<void(int, int)> f);

  // About 50 µs: longer than the gaps between the kernels of one token and between two tokens, and about what
  // it costs to wake a thread of a virtual machine.
  static constexpr int spins = 2000;

  static void pause();
  void work(int thread);
  void stop();

  int size_ = 1;
  std::unique_ptr<part_of_range[]> parts_;
  std::mutex turn_;
  const function_ref<void(int, int)>* task_ = nullptr;
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

#if !TRANSEPT_IS_COMPILED
#include <transept/runtime/impl/thread_pool.hpp>
#endif
