// Counts every allocation of the process, in all threads: malloc, calloc, realloc, reallocarray,
// aligned_alloc, posix_memalign, memalign, valloc and pvalloc, and so operator new too, which libstdc++
// builds on malloc and aligned_alloc. Including this header is enough to replace them in the whole
// executable; any number of its files may include it.
//
//   const support::allocation_count count;
//   …
//   REQUIRE(count.so_far() == 0);   // look before anything else allocates, REQUIRE too
//
// Where the replacement cannot be (a sanitizer has its own; not glibc), `support::counts_allocations` is
// false and the count stays 0.
#pragma once

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>

// clang's declares posix_memalign without noexcept, which it forgives itself only before the one below.
#if defined(__clang__) && __has_include(<mm_malloc.h>)
#include <mm_malloc.h>
#endif

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define TRANSEPT_TEST_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TRANSEPT_TEST_SANITIZED 1
#endif

namespace support {

#if defined(__GLIBC__) && !defined(TRANSEPT_TEST_SANITIZED)
inline constexpr bool counts_allocations = true;
#else
inline constexpr bool counts_allocations = false;
#endif

inline constinit std::atomic<long> allocations_made{0};

/// How many allocations were made since it was made.
class allocation_count {
public:
  long so_far() const { return allocations_made.load() - before_; }

private:
  long before_ = allocations_made.load();
};

} // namespace support

#if defined(__GLIBC__) && !defined(TRANSEPT_TEST_SANITIZED)

extern "C" {

// What glibc's own are built on.
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

// Weak, so that every file which includes this may define them: one is kept, and an executable's symbols go
// before those of shared libraries.
#define TRANSEPT_TEST_REPLACE __attribute__((weak, used))

TRANSEPT_TEST_REPLACE void* malloc(std::size_t size) noexcept {
  ++support::allocations_made;
  return __libc_malloc(size);
}

TRANSEPT_TEST_REPLACE void* calloc(std::size_t count, std::size_t size) noexcept {
  ++support::allocations_made;
  return __libc_calloc(count, size);
}

TRANSEPT_TEST_REPLACE void* realloc(void* old, std::size_t size) noexcept {
  ++support::allocations_made;
  return __libc_realloc(old, size);
}

TRANSEPT_TEST_REPLACE void* reallocarray(void* old, std::size_t count, std::size_t size) noexcept {
  ++support::allocations_made;
  std::size_t bytes = 0;
  if (__builtin_mul_overflow(count, size, &bytes)) {
    errno = ENOMEM;
    return nullptr;
  }
  return __libc_realloc(old, bytes);
}

TRANSEPT_TEST_REPLACE void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  ++support::allocations_made;
  return __libc_memalign(alignment, size);
}

TRANSEPT_TEST_REPLACE void* memalign(std::size_t alignment, std::size_t size) noexcept {
  ++support::allocations_made;
  return __libc_memalign(alignment, size);
}

TRANSEPT_TEST_REPLACE int posix_memalign(void** result, std::size_t alignment, std::size_t size) noexcept {
  ++support::allocations_made;
  if (alignment < sizeof(void*) || (alignment & (alignment - 1)) != 0) return EINVAL;
  void* const memory = __libc_memalign(alignment, size);
  if (!memory) return ENOMEM;
  *result = memory;
  return 0;
}

TRANSEPT_TEST_REPLACE void* valloc(std::size_t size) noexcept {
  ++support::allocations_made;
  return __libc_memalign(4096, size);
}

TRANSEPT_TEST_REPLACE void* pvalloc(std::size_t size) noexcept {
  ++support::allocations_made;
  return __libc_memalign(4096, (size + 4095) / 4096 * 4096);
}

#undef TRANSEPT_TEST_REPLACE

} // extern "C"

#endif
