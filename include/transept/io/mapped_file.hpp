// A file's bytes, mapped read-only; or bytes that are there already.
//
// A mapping costs no memory of its own and starts at once: a weight is read from the disk when a kernel first
// touches it. Out of scope: a file that another process truncates while it is mapped. Reading past the new
// end then raises SIGBUS, which no library can turn into an exception; replace files by renaming (as
// atomic_file does), never by writing into them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <transept/core/error.hpp>

#if defined(__unix__) || defined(__APPLE__)
#define TRANSEPT_HAS_MMAP 1
#else
#define TRANSEPT_HAS_MMAP 0
#endif

namespace transept::inline TRANSEPT_ABI {

/// A regular file's bytes. Copies share one mapping; it lives as long as any of them, or any `owner()`, does.
class mapped_file {
public:
  /// No file: no bytes.
  mapped_file() = default;

  /// Maps `path`; a file of no bytes is fine. Throws file_error where it is missing, unreadable or no file.
  explicit mapped_file(const std::filesystem::path& path) : path_(path), is_mapped_(true) { map(); }

  /// Not a file, but these bytes, under a name for messages. They must outlive all views of them, or `owner`
  /// keeps them.
  mapped_file(std::string name, std::span<const std::byte> bytes, std::shared_ptr<const void> owner = {})
      : path_(std::move(name)), owner_(std::move(owner)), bytes_(bytes) {}

  /// All of them; valid as long as the mapping.
  std::span<const std::byte> bytes() const { return bytes_; }

  /// The same as characters.
  std::string_view text() const { return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()}; }

  bool is_mapped() const { return is_mapped_; } ///< or bytes that somebody gave

  std::size_t size() const { return bytes_.size(); } ///< in bytes

  const std::filesystem::path& path() const { return path_; } ///< as it was given

  /// Keep a copy wherever a view of the bytes is kept.
  const std::shared_ptr<const void>& owner() const { return owner_; }

private:
  [[noreturn]] void fail(const std::string& why) const;
  void map();

  std::filesystem::path path_;
  std::shared_ptr<const void> owner_;
  std::span<const std::byte> bytes_;
  bool is_mapped_ = false;
};

/// Tells the system that this process is done with these bytes of a mapped file for now: the pages that lie
/// wholly in them leave its memory, and come back from the file when they are read again.
TRANSEPT_FUNCTION void release_pages(std::span<const std::byte> bytes);

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/io/impl/mapped_file.hpp>
#endif
