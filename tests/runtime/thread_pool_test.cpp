#include <support/catch.hpp>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/runtime/thread_pool.hpp>

using transept::parallel_for;
using transept::thread_pool;

TEST_CASE("parallel_for computes every index exactly once, for any number of threads and grain") {
  for (int threads : {1, 2, 3, 4, 7}) {
    thread_pool pool(threads);
    for (std::size_t count : {0u, 1u, 5u, 16u, 17u, 1000u}) {
      for (std::size_t grain : {1u, 4u, 16u, 64u}) {
        std::vector<std::atomic<int>> done(count);
        std::atomic<bool> off_grain{false}; // Catch's checks are for one thread
        parallel_for(pool, count, grain, [&](std::size_t begin, std::size_t end, int) {
          if (begin % grain != 0) off_grain = true;
          for (std::size_t i = begin; i < end; ++i) ++done[i];
        });
        for (auto& each : done) CHECK(each == 1);
        CHECK_FALSE(off_grain);
      }
    }
  }
}

TEST_CASE("every thread of a pool gets a part of work that is large enough") {
  thread_pool pool(4);
  parallel_for(pool, 64, 16, [](std::size_t, std::size_t, int) {});
  for (int i = 0; i < pool.size(); ++i) CHECK(pool.parts_done(i) == 1);
}

TEST_CASE("a thread that is done takes over what a slower one has not begun") {
  thread_pool pool(2);
  std::atomic<std::size_t> by_first{0}, by_second{0};
  parallel_for(pool, 64, 1, [&](std::size_t begin, std::size_t end, int thread) {
    // The second thread is busy with its first piece, 16 of 64, until all else is done.
    const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (thread == 1 && by_first < 48 && std::chrono::steady_clock::now() < patience)
      std::this_thread::yield();
    (thread == 0 ? by_first : by_second) += end - begin;
  });
  CHECK(by_first == 48);
  CHECK(by_second == 16);
}

TEST_CASE("threads that have gone to sleep wake up for new work") {
  thread_pool pool(3);
  std::atomic<int> runs{0};
  for (int i = 0; i < 5; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    pool.run([&](int, int) { ++runs; });
  }
  CHECK(runs == 15);
}

TEST_CASE("threads that share a pool take turns") {
  thread_pool pool(2);
  std::atomic<int> total{0};
  const auto use = [&] {
    for (int i = 0; i < 500; ++i) pool.run([&](int, int count) { total += count; });
  };
  std::thread other(use);
  use();
  other.join();
  CHECK(total == 2 * 500 * 2 * 2);
}

TEST_CASE("a pool of no sensible size is refused, and 0 means one thread per processor") {
  CHECK_THROWS_AS(thread_pool(-1), transept::argument_error);
  CHECK_THROWS_WITH(thread_pool(100000),
                    Catch::ContainsSubstring("from 1 to 1024") && Catch::ContainsSubstring("100000"));
  CHECK(thread_pool(0).size() == transept::available_processors());
}
