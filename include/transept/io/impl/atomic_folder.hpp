// How a folder is filled beside its place and renamed into it (io/atomic_folder.hpp).
#pragma once

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include <transept/core/error.hpp>
#include <transept/io/atomic_folder.hpp>

#include <fcntl.h>
#include <unistd.h>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION void flush_to_disk(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool done = file >= 0 && ::fsync(file) == 0;
  const std::string why = done ? "" : std::strerror(errno);
  if (file >= 0) ::close(file);
  if (!done) throw file_error(path.string() + ": cannot write: " + why);
}

TRANSEPT_FUNCTION atomic_folder::atomic_folder(std::filesystem::path place)
    : place_(place.has_filename() ? std::move(place) : place.parent_path()), partial_(place_) { // of FOLDER/
  std::error_code error;
  if (std::filesystem::exists(std::filesystem::symlink_status(place_, error)))
    throw file_error(place_.string() + ": is there already");
  partial_ += partial_suffix;
  std::filesystem::remove_all(partial_, error);
  std::filesystem::create_directories(partial_, error);
  if (error) fail(error.message());
}

TRANSEPT_FUNCTION atomic_folder::~atomic_folder() {
  std::error_code ignored;
  if (!partial_.empty()) std::filesystem::remove_all(partial_, ignored);
}

TRANSEPT_FUNCTION void atomic_folder::commit() {
  std::error_code error;
  std::filesystem::recursive_directory_iterator entry(partial_, error);
  for (; !error && entry != std::filesystem::end(entry); entry.increment(error)) flush_to_disk(entry->path());
  if (error) fail(error.message());
  flush_to_disk(partial_);
  std::filesystem::rename(partial_, place_, error);
  if (error) fail(error.message());
  partial_.clear();
  flush_to_disk(place_.has_parent_path() ? place_.parent_path() : std::filesystem::path("."));
}

TRANSEPT_FUNCTION void atomic_folder::fail(const std::string& why) const {
  throw file_error(place_.string() + ": cannot write: " + why);
}

} // namespace transept::inline TRANSEPT_ABI
