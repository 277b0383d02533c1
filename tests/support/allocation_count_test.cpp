// Here also because two files of one executable must be able to include the header.
#include <support/allocation_count.hpp>

#include <cstdint>
#include <cstdlib>
#include <new>
#include <thread>
#include <vector>

#include <support/catch.hpp>

TEST_CASE("the allocation counter sees every way to allocate, in every thread") {
  if (!support::counts_allocations) return;
  const auto counted = [](auto allocate) {
    const support::allocation_count count;
    allocate();
    return count.so_far();
  };
  void* volatile memory = nullptr; // so that no pair of calls is optimised away
  const auto release = [&] { std::free(memory); };
  CHECK(counted([&] { memory = std::malloc(10); }) == 1);
  CHECK(counted([&] { memory = std::realloc(memory, 1000); }) == 1);
  CHECK(counted([&] { release(); }) == 0);
  CHECK(counted([&] { memory = std::calloc(2, 10); }) == 1);
  release();
  CHECK(counted([&] { memory = std::aligned_alloc(64, 128); }) == 1);
  release();
  void* aligned = nullptr;
  int status = -1;
  CHECK(counted([&] { status = posix_memalign(&aligned, 64, 100); }) == 1);
  CHECK(status == 0);
  CHECK(reinterpret_cast<std::uintptr_t>(aligned) % 64 == 0);
  std::free(aligned);
  CHECK(counted([&] { memory = ::operator new(10); }) == 1);
  ::operator delete(memory);
  CHECK(counted([&] { memory = ::operator new[](10, std::align_val_t{64}); }) >= 1);
  ::operator delete[](memory, std::align_val_t{64});
  CHECK(counted([] {
          std::vector<int> numbers(10);
          numbers.front() = 1;
        }) <= 1);

  // A thread's own: starting one allocates, so each says what it did itself.
  long in_thread = 0;
  std::thread([&] { in_thread = counted([&] { memory = std::malloc(10); }); }).join();
  release();
  CHECK(in_thread == 1);
}
