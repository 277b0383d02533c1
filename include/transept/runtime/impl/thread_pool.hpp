// How a thread pool's threads wait, work and share (runtime/thread_pool.hpp).
#pragma once

#include <algorithm>
#include <string>

#include <transept/core/error.hpp>
#include <transept/runtime/instruction_set.hpp>
#include <transept/runtime/thread_pool.hpp>

#if defined(__linux__)
#include <sched.h>
#endif

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION int available_processors() {
#if defined(__linux__)
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
#endif
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

TRANSEPT_FUNCTION thread_pool::thread_pool(int threads) {
#if TRANSEPT_IS_COMPILED
  instruction_set(); // throws for a name that is not here: a kernel in one of the threads could not
#endif
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

TRANSEPT_FUNCTION thread_pool::~thread_pool() { stop(); }

inline void thread_pool::pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

TRANSEPT_FUNCTION thread_pool::range thread_pool::take(range part, std::atomic<std::size_t>& taken) {
  const std::size_t least = (part.end - part.begin + least_share - 1) / least_share;
  std::size_t begin = taken.load(std::memory_order_relaxed);
  while (begin < part.end) {
    const std::size_t left = part.end - begin;
    const std::size_t end = begin + std::min(left, std::max((left + 1) / 2, least));
    if (taken.compare_exchange_weak(begin, end, std::memory_order_relaxed)) return {begin, end};
  }
  return {part.end, part.end};
}

TRANSEPT_FUNCTION void thread_pool::run(function_ref<void(int, int)> f) {
  if (size_ == 1) return f(0, 1);
  const std::lock_guard turn(turn_);
  run_all(f);
}

TRANSEPT_FUNCTION void thread_pool::share(std::size_t count,
                                          function_ref<void(std::size_t, std::size_t, int)> f) {
  if (size_ == 1 || count <= 1) {
    if (count != 0) {
      count_part(0);
      f(0, count, 0);
    }
    return;
  }
  const std::lock_guard turn(turn_);
  const auto threads = static_cast<std::size_t>(size_);
  const auto part = [&](std::size_t t) { return range{count * t / threads, count * (t + 1) / threads}; };
  for (std::size_t t = 0; t < threads; ++t) {
    parts_[t].taken.store(first_half(part(t)).end, std::memory_order_relaxed);
  }
  run_all([&](int thread, int) {
    const auto own = static_cast<std::size_t>(thread);
    range piece = first_half(part(own));
    if (!piece.empty()) count_part(thread);
    for (std::size_t exhausted = 0; exhausted < std::min(threads, most_helped);) {
      if (!piece.empty()) f(piece.begin, piece.end, thread);
      const std::size_t t = (own + exhausted) % threads;
      piece = take(part(t), parts_[t].taken);
      if (piece.empty()) ++exhausted;
    }
  });
}

TRANSEPT_FUNCTION void thread_pool::run_all(function_ref<void(int, int)> f) {
  task_ = &f;
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

TRANSEPT_FUNCTION void thread_pool::work(int thread) {
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
    (*task_)(thread, size_);
    if (unfinished_.fetch_sub(1, std::memory_order_acq_rel) == 1) unfinished_.notify_one();
  }
}

TRANSEPT_FUNCTION void thread_pool::stop() {
  stopping_.store(true, std::memory_order_relaxed);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  for (auto& thread : threads_) thread.join();
}

} // namespace transept::inline TRANSEPT_ABI
