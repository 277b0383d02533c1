// Token ids on disk, more than memory holds.
//
//   bytes 0–7    "TRSPTOKS"
//         8–11   version, 1
//         12–15  bytes of an id: 2 where ids are below 65536, else 4
//         16–23  how many ids
//         24–31  how many tokens the vocabulary has: ids are 0 to one less
//         32–    the ids
//
// All numbers are unsigned, little-endian.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/core/types.hpp>
#include <transept/io/atomic_file.hpp>
#include <transept/io/mapped_file.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

struct token_file_header {
  std::array<char, 8> magic = {'T', 'R', 'S', 'P', 'T', 'O', 'K', 'S'};
  std::uint32_t version = 1;
  std::uint32_t width = 0;
  std::uint64_t count = 0;
  std::uint64_t vocabulary_size = 0;
};
static_assert(sizeof(token_file_header) == 32);

} // namespace detail

/// Writes a token file piece by piece. Nothing stands at its place before `commit`. Errors: file_error.
class token_file_writer {
public:
  /// Throws argument_error for a vocabulary_size that is 0 or above 2^31.
  token_file_writer(const std::filesystem::path& path, std::size_t vocabulary_size);

  /// Throws argument_error for an id that is not in the vocabulary.
  void append(std::span<const token_id> ids);

  /// How many ids were appended.
  std::uint64_t size() const { return header_.count; }

  /// Puts the file in its place. Nothing may be appended after it.
  void commit();

private:
  atomic_file file_;
  detail::token_file_header header_;
  std::vector<std::uint16_t> narrow_;
};

/// A token file, mapped. Copies share the mapping; any number of threads may read.
class token_file {
public:
  /// Throws file_error where the file cannot be read, format_error where it is no token file, is cut off or
  /// goes on after its end. Ids are looked at when they are read.
  explicit token_file(const std::filesystem::path& path);

  /// How many ids there are.
  std::size_t size() const { return static_cast<std::size_t>(header_.count); }
  /// Tokens of the vocabulary: every id that is read is below it.
  std::size_t vocabulary_size() const { return static_cast<std::size_t>(header_.vocabulary_size); }
  const std::filesystem::path& path() const { return file_.path(); } ///< of the file

  /// Ids first, first + 1, … into `out`. Throws argument_error where there are not as many, format_error for
  /// one that is not in the vocabulary. Allocates nothing.
  void read(std::size_t first, std::span<token_id> out) const;

private:
  [[noreturn]] void fail(const std::string& what) const;

  template <class Id>
  void copy(std::size_t first, std::span<token_id> out) const;

  mapped_file file_;
  detail::token_file_header header_;
};

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/train/impl/token_file.hpp>
#endif
