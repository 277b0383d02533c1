// Writing a folder so that nobody ever sees half of it.
#pragma once

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <transept/core/error.hpp>

namespace transept::inline TRANSEPT_ABI {

/// Returns when what was written to a file, or what a folder lists, has reached the disk. Throws file_error.
inline void flush_to_disk(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool done = file >= 0 && ::fsync(file) == 0;
  const std::string why = done ? "" : std::strerror(errno);
  if (file >= 0) ::close(file);
  if (!done) throw file_error(path.string() + ": cannot write: " + why);
}

/// A folder that is filled beside its final place and renamed into it by `commit()`, after all of it has
/// reached the disk: whoever finds it there finds it whole, even after a kill or a loss of power. One thread
/// of one process may write to a place at a time; what an earlier one left half done is removed. Errors:
/// file_error.
class atomic_folder {
public:
  explicit atomic_folder(std::filesystem::path place) : place_(std::move(place)), partial_(place_) {
    std::error_code error;
    if (std::filesystem::exists(std::filesystem::symlink_status(place_, error)))
      throw file_error(place_.string() + ": is there already");
    partial_ += partial_suffix;
    std::filesystem::remove_all(partial_, error);
    std::filesystem::create_directories(partial_, error);
    if (error) fail(error.message());
  }

  atomic_folder(const atomic_folder&) = delete;
  atomic_folder& operator=(const atomic_folder&) = delete;

  ~atomic_folder() {
    std::error_code ignored;
    if (!partial_.empty()) std::filesystem::remove_all(partial_, ignored);
  }

  /// Where its files are written to.
  const std::filesystem::path& path() const { return partial_; }

  /// Puts the folder in its place. Nothing may be written after it.
  void commit() {
    for (const auto& file : std::filesystem::directory_iterator(partial_)) flush_to_disk(file.path());
    flush_to_disk(partial_);
    std::error_code error;
    std::filesystem::rename(partial_, place_, error);
    if (error) fail(error.message());
    partial_.clear();
    flush_to_disk(place_.has_parent_path() ? place_.parent_path() : std::filesystem::path("."));
  }

  /// What a folder is called, after its name, until it is whole.
  static constexpr const char* partial_suffix = ".partial";

private:
  [[noreturn]] void fail(const std::string& why) const {
    throw file_error(place_.string() + ": cannot write: " + why);
  }

  std::filesystem::path place_;
  std::filesystem::path partial_; // empty once it is gone
};

} // namespace transept::inline TRANSEPT_ABI
