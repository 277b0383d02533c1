// Writing a folder so that nobody ever sees half of it.
#pragma once

#include <filesystem>
#include <string>

#include <transept/core/error.hpp>

namespace transept::inline TRANSEPT_ABI {

/// Returns when what was written to a file, or what a folder lists, has reached the disk. Throws file_error.
TRANSEPT_FUNCTION void flush_to_disk(const std::filesystem::path& path);

/// A folder that is filled beside its final place and renamed into it by `commit()`, after all of it has
/// reached the disk: whoever finds it there finds it whole, even after a kill or a loss of power. One thread
/// of one process may write to a place at a time; what an earlier one left half done is removed. Errors:
/// file_error.
class atomic_folder {
public:
  /// Makes the folder that is to be filled, and those above it. Throws where `place` is there already.
  explicit atomic_folder(std::filesystem::path place);

  atomic_folder(const atomic_folder&) = delete;
  atomic_folder& operator=(const atomic_folder&) = delete;

  ~atomic_folder();

  /// Where its files are written to.
  const std::filesystem::path& path() const { return partial_; }

  /// Puts the folder in its place. Nothing may be written after it.
  void commit();

  /// What a folder is called, after its name, until it is whole.
  static constexpr const char* partial_suffix = ".partial";

private:
  [[noreturn]] void fail(const std::string& why) const;

  std::filesystem::path place_;
  std::filesystem::path partial_; // empty once it is gone
};

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/io/impl/atomic_folder.hpp>
#endif
