// How a file is written beside its place and renamed into it (io/atomic_file.hpp).
#pragma once

#include <atomic>
#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>

#include <transept/core/error.hpp>
#include <transept/io/atomic_file.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION atomic_file::atomic_file(std::filesystem::path path) : path_(std::move(path)) {
  std::error_code absent;
  const auto status = std::filesystem::status(path_, absent);
  if (std::filesystem::is_symlink(std::filesystem::symlink_status(path_, absent)) &&
      std::filesystem::exists(status))
    path_ = std::filesystem::canonical(path_, absent); // what the link leads to is replaced, not the link
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    stream_.reset(std::fopen(path_.string().c_str(), "wb")); // a device or a pipe: written to, never replaced
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

TRANSEPT_FUNCTION atomic_file::~atomic_file() {
  if (temporary_.empty()) return;
  stream_.reset();
  std::error_code ignored;
  std::filesystem::remove(temporary_, ignored);
}

TRANSEPT_FUNCTION void atomic_file::write(std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  if (std::fwrite(bytes.data(), 1, bytes.size(), stream_.get()) != bytes.size()) fail(std::strerror(errno));
}

TRANSEPT_FUNCTION void atomic_file::write_beginning(std::span<const std::byte> bytes) {
  if (std::fseek(stream_.get(), 0, SEEK_SET) != 0) fail(std::strerror(errno));
  write(bytes);
}

TRANSEPT_FUNCTION void atomic_file::commit() {
  if (std::fclose(stream_.release()) != 0) fail(std::strerror(errno));
  if (temporary_.empty()) return;
  std::error_code error;
  std::filesystem::rename(temporary_, path_, error);
  if (error) fail(error.message());
  temporary_.clear();
}

TRANSEPT_FUNCTION void atomic_file::fail(const std::string& why) const {
  throw file_error(path_.string() + ": cannot write: " + why);
}

TRANSEPT_FUNCTION void write_text(const std::filesystem::path& path, std::string_view text) {
  atomic_file file(path);
  file.write(text);
  file.commit();
}

} // namespace transept::inline TRANSEPT_ABI
