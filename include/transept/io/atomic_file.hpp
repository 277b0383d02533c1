// Writing a file so that nobody ever sees half of it.
#pragma once

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <transept/core/error.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A file written beside its final place and renamed into it by `commit()`. Until then, and after an
/// exception, what stood there before stands there still; a program that has the old file mapped (a model
/// being saved over its own folder) keeps the old bytes. Errors: file_error.
class atomic_file {
public:
  explicit atomic_file(std::filesystem::path path) : path_(std::move(path)) {
    std::error_code absent;
    const auto status = std::filesystem::status(path_, absent);
    if (std::filesystem::is_symlink(std::filesystem::symlink_status(path_, absent)) &&
        std::filesystem::exists(status))
      path_ = std::filesystem::canonical(path_, absent); // what the link leads to is replaced, not the link
    if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
      stream_.reset(
          std::fopen(path_.string().c_str(), "wb")); // a device or a pipe: written to, never replaced
      if (!stream_) fail(std::strerror(errno));
      return;
    }
    static std::atomic<unsigned> count{0};
    for (int attempt = 0; attempt < 10'000; ++attempt) {
      temporary_ = path_;
      temporary_ += ".partial-" + std::to_string(count++);
      // "x": fails where the name is taken, so two writers never share a temporary file.
      stream_.reset(std::fopen(temporary_.string().c_str(), "wbx"));
      if (stream_ || errno != EEXIST) break;
    }
    if (!stream_) {
      temporary_.clear();
      fail(std::strerror(errno));
    }
  }

  atomic_file(const atomic_file&) = delete;
  atomic_file& operator=(const atomic_file&) = delete;

  ~atomic_file() {
    if (temporary_.empty()) return;
    stream_.reset();
    std::error_code ignored;
    std::filesystem::remove(temporary_, ignored);
  }

  void write(std::span<const std::byte> bytes) {
    if (bytes.empty()) return;
    if (std::fwrite(bytes.data(), 1, bytes.size(), stream_.get()) != bytes.size()) fail(std::strerror(errno));
  }

  void write(std::string_view text) { write(std::as_bytes(std::span(text.data(), text.size()))); }

  /// Writes over the file's first bytes; for a header that says how much came after it. Only `commit` may
  /// follow. A pipe cannot go back: file_error.
  void write_beginning(std::span<const std::byte> bytes) {
    if (std::fseek(stream_.get(), 0, SEEK_SET) != 0) fail(std::strerror(errno));
    write(bytes);
  }

  /// Puts the file in its place. Nothing may be written after it.
  void commit() {
    if (std::fclose(stream_.release()) != 0) fail(std::strerror(errno));
    if (temporary_.empty()) return;
    std::error_code error;
    std::filesystem::rename(temporary_, path_, error);
    if (error) fail(error.message());
    temporary_.clear();
  }

private:
  struct closer {
    void operator()(std::FILE* stream) const { std::fclose(stream); }
  };

  [[noreturn]] void fail(const std::string& why) const {
    throw file_error(path_.string() + ": cannot write: " + why);
  }

  std::filesystem::path path_;
  std::filesystem::path temporary_; // empty once it is gone
  std::unique_ptr<std::FILE, closer> stream_;
};

/// Writes a whole file at once, as atomic_file does.
inline void write_text(const std::filesystem::path& path, std::string_view text) {
  atomic_file file(path);
  file.write(text);
  file.commit();
}

} // namespace transept::inline TRANSEPT_ABI
