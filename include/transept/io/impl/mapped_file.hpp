// How a file is mapped (io/mapped_file.hpp).
#pragma once

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <limits>
#include <system_error>
#include <utility>

#include <transept/core/error.hpp>
#include <transept/io/mapped_file.hpp>

#if TRANSEPT_HAS_MMAP
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#else
#include <fstream>
#endif

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION void mapped_file::fail(const std::string& why) const {
  std::error_code ignored;
  const bool dangling =
      std::filesystem::is_symlink(path_, ignored) && !std::filesystem::exists(path_, ignored);
  throw file_error(path_.string() + ": cannot read: " + why +
                   (dangling ? " (a dangling symbolic link)" : ""));
}

#if TRANSEPT_HAS_MMAP

TRANSEPT_FUNCTION void mapped_file::map() {
  struct descriptor {
    int value;
    ~descriptor() {
      if (value >= 0) ::close(value);
    }
  };
  // Non-blocking, so that a pipe in a file's place is an error below and not an endless wait.
  const descriptor file{::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.value < 0) fail(std::strerror(errno));
  struct stat status {};
  if (::fstat(file.value, &status) != 0) fail(std::strerror(errno));
  if (S_ISDIR(status.st_mode)) fail("it is a folder, expected a file");
  if (!S_ISREG(status.st_mode)) fail("it is no regular file");
  if (status.st_size == 0) return;
  if (static_cast<unsigned long long>(status.st_size) > std::numeric_limits<std::ptrdiff_t>::max()) {
    fail("it is larger than the address space");
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  void* const address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.value, 0);
  if (address == MAP_FAILED) fail(std::strerror(errno));
  owner_ =
      std::shared_ptr<const void>(address, [size](const void* p) { ::munmap(const_cast<void*>(p), size); });
  bytes_ = {static_cast<const std::byte*>(address), size};
}

#else

TRANSEPT_FUNCTION void mapped_file::map() {
  std::error_code error;
  if (std::filesystem::is_directory(path_, error)) fail("it is a folder, expected a file");
  const auto size = std::filesystem::file_size(path_, error);
  if (error) fail(error.message());
  if (size == 0) return;
  const auto count = static_cast<std::size_t>(size);
  std::shared_ptr<std::byte[]> storage(new std::byte[count]);
  std::ifstream file(path_, std::ios::binary);
  if (!file.read(reinterpret_cast<char*>(storage.get()), static_cast<std::streamsize>(count))) {
    fail("it could not be read to its end");
  }
  bytes_ = {storage.get(), count};
  owner_ = std::move(storage);
}

#endif

TRANSEPT_FUNCTION void release_pages([[maybe_unused]] std::span<const std::byte> bytes) {
#if TRANSEPT_HAS_MMAP
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = (reinterpret_cast<std::uintptr_t>(bytes.data()) + page - 1) / page * page;
  const auto end = (reinterpret_cast<std::uintptr_t>(bytes.data()) + bytes.size()) / page * page;
  if (begin >= end) return;
#if defined(MADV_NOHUGEPAGE) // or what lies beside them brings them back when it is read, 2 MB at a time
  ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_NOHUGEPAGE);
#endif
  ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
#endif
}

} // namespace transept::inline TRANSEPT_ABI
