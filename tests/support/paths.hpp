// Where tests find their data.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <optional>

namespace support {

/// The repository's root; CMake passes it, a hand-run test is started from there.
inline std::filesystem::path source_dir() {
#ifdef TRANSEPT_SOURCE_DIR
  return TRANSEPT_SOURCE_DIR;
#else
  return std::filesystem::current_path();
#endif
}

inline std::filesystem::path fixture(const std::filesystem::path& name) {
  return source_dir() / "tests" / "fixtures" / name;
}

/// The model that ships with the project.
inline std::filesystem::path shipped_model() { return source_dir() / "models" / "shakespeare"; }

/// Data that may not be copied into the project (GPT-2's vocabulary, a text), where it is there:
/// $TRANSEPT_SHARED, or `shared` beside the checkout. Absent: says so in the words ctest reads as
/// "skipped"; the test case then returns.
inline std::optional<std::filesystem::path> shared_dir() {
  const char* from_environment = std::getenv("TRANSEPT_SHARED");
  const std::filesystem::path folder =
      from_environment ? std::filesystem::path(from_environment) : source_dir() / ".." / "shared";
  if (std::filesystem::is_directory(folder / "data")) return folder;
  std::cout << "SKIPPED: needs the data folder " << folder.string() << ", which is absent\n";
  return std::nullopt;
}

} // namespace support
