// A file's bytes, mapped read-only.
//
// A mapping costs no memory of its own and starts at once: a weight is read from the disk when a kernel first
// touches it. Out of scope: a file that another process truncates while it is mapped. Reading past the new
// end then raises SIGBUS, which no library can turn into an exception; replace files by renaming (as
// atomic_file does), never by writing into them.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include <transept/core/error.hpp>

#if defined(__unix__) || defined(__APPLE__)
#define TRANSEPT_HAS_MMAP 1
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#else
#define TRANSEPT_HAS_MMAP 0
#include <fstream>
#endif

namespace transept::inline TRANSEPT_ABI {

/// A regular file's bytes. Copies share one mapping; it lives as long as any of them, or any `owner()`, does.
class mapped_file {
public:
  /// No file: no bytes.
  mapped_file() = default;

  /// Maps `path`; a file of no bytes is fine. Throws file_error where it is missing, unreadable or no file.
  explicit mapped_file(const std::filesystem::path& path) : path_(path) { map(); }

  std::span<const std::byte> bytes() const { return bytes_; }

  std::string_view text() const { return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()}; }

  std::size_t size() const { return bytes_.size(); }

  const std::filesystem::path& path() const { return path_; }

  /// Keep a copy wherever a view of the bytes is kept.
  const std::shared_ptr<const void>& owner() const { return owner_; }

private:
  [[noreturn]] void fail(const std::string& why) const {
    std::error_code ignored;
    const bool dangling =
        std::filesystem::is_symlink(path_, ignored) && !std::filesystem::exists(path_, ignored);
    throw file_error(path_.string() + ": cannot read: " + why +
                     (dangling ? " (a dangling symbolic link)" : ""));
  }

#if TRANSEPT_HAS_MMAP
  void map() {
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
  void map() {
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

  std::filesystem::path path_;
  std::shared_ptr<const void> owner_;
  std::span<const std::byte> bytes_;
};

/// Tells the system that this process is done with these bytes of a mapped file for now: the pages that lie
/// wholly in them leave its memory, and come back from the file when they are read again.
inline void release_pages([[maybe_unused]] std::span<const std::byte> bytes) {
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
