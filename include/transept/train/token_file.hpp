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
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
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

static_assert(std::endian::native == std::endian::little, "transept needs a little-endian machine");

struct token_file_header {
  std::array<char, 8> magic = {'T', 'R', 'S', 'P', 'T', 'O', 'K', 'S'};
  std::uint32_t version = 1;
  std::uint32_t width = 0;
  std::uint64_t count = 0;
  std::uint64_t vocabulary_size = 0;
};
static_assert(sizeof(token_file_header) == 32);

constexpr std::uint32_t id_width(std::uint64_t vocabulary_size) { return vocabulary_size <= 65536 ? 2 : 4; }

} // namespace detail

/// Writes a token file piece by piece. Nothing stands at its place before `commit`. Errors: file_error.
class token_file_writer {
public:
  /// Throws argument_error for a vocabulary_size that is 0 or above 2^31.
  token_file_writer(const std::filesystem::path& path, std::size_t vocabulary_size) : file_(path) {
    if (vocabulary_size == 0 || vocabulary_size > std::size_t{1} << 31)
      throw argument_error("vocabulary_size must be from 1 to 2^31; got " + std::to_string(vocabulary_size));
    header_.vocabulary_size = vocabulary_size;
    header_.width = detail::id_width(vocabulary_size);
    file_.write(std::as_bytes(std::span(&header_, 1)));
  }

  /// Throws argument_error for an id that is not in the vocabulary.
  void append(std::span<const token_id> ids) {
    for (const token_id id : ids)
      if (id < 0 || static_cast<std::uint64_t>(id) >= header_.vocabulary_size)
        throw argument_error("token id " + std::to_string(id) + " is not in the vocabulary: it has " +
                             std::to_string(header_.vocabulary_size) + " tokens, from id 0 on");
    if (header_.width == 2) {
      narrow_.assign(ids.begin(), ids.end());
      file_.write(std::as_bytes(std::span(narrow_)));
    } else {
      file_.write(std::as_bytes(ids));
    }
    header_.count += ids.size();
  }

  /// How many ids were appended.
  std::uint64_t size() const { return header_.count; }

  /// Puts the file in its place. Nothing may be appended after it.
  void commit() {
    file_.write_beginning(std::as_bytes(std::span(&header_, 1)));
    file_.commit();
  }

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
  explicit token_file(const std::filesystem::path& path) : file_(path) {
    detail::token_file_header expected;
    if (file_.size() < sizeof header_)
      fail("expected a token file, whose header has 32 bytes; found " + std::to_string(file_.size()) +
           " bytes");
    std::memcpy(&header_, file_.bytes().data(), sizeof header_);
    if (header_.magic != expected.magic) fail("not a token file: it does not begin with \"TRSPTOKS\"");
    if (header_.version != expected.version)
      fail("version: expected 1, found " + std::to_string(header_.version));
    if (header_.vocabulary_size == 0 || header_.vocabulary_size > std::uint64_t{1} << 31)
      fail("size of the vocabulary: expected 1 to 2^31, found " + std::to_string(header_.vocabulary_size));
    if (header_.width != detail::id_width(header_.vocabulary_size))
      fail("bytes of an id: expected " + std::to_string(detail::id_width(header_.vocabulary_size)) +
           " for a vocabulary of " + std::to_string(header_.vocabulary_size) + ", found " +
           std::to_string(header_.width));
    const std::uint64_t bytes = file_.size() - sizeof header_;
    if (bytes % header_.width != 0 || bytes / header_.width != header_.count)
      fail("expected " + std::to_string(header_.count) + " ids of " + std::to_string(header_.width) +
           " bytes after the header, found " + std::to_string(bytes) + " bytes");
  }

  /// How many ids there are.
  std::size_t size() const { return static_cast<std::size_t>(header_.count); }
  std::size_t vocabulary_size() const { return static_cast<std::size_t>(header_.vocabulary_size); }
  const std::filesystem::path& path() const { return file_.path(); }

  /// Ids first, first + 1, … into `out`. Throws argument_error where there are not as many, format_error for
  /// one that is not in the vocabulary. Allocates nothing.
  void read(std::size_t first, std::span<token_id> out) const {
    if (first > size() || out.size() > size() - first)
      throw argument_error(path().string() + ": tokens " + std::to_string(first) + " to " +
                           std::to_string(first + out.size()) + " were asked for, but there are " +
                           std::to_string(size()));
    if (header_.width == 2) {
      copy<std::uint16_t>(first, out);
    } else {
      copy<std::uint32_t>(first, out);
    }
  }

private:
  [[noreturn]] void fail(const std::string& what) const { throw format_error(path().string() + ": " + what); }

  template <class Id>
  void copy(std::size_t first, std::span<token_id> out) const {
    const std::byte* from = file_.bytes().data() + sizeof header_ + first * sizeof(Id);
    for (std::size_t i = 0; i < out.size(); ++i, from += sizeof(Id)) {
      Id id;
      std::memcpy(&id, from, sizeof id);
      if (id >= header_.vocabulary_size)
        fail("token " + std::to_string(first + i) + " has id " + std::to_string(id) +
             ", but the vocabulary has " + std::to_string(header_.vocabulary_size) + " tokens");
      out[i] = static_cast<token_id>(id);
    }
  }

  mapped_file file_;
  detail::token_file_header header_;
};

} // namespace transept::inline TRANSEPT_ABI
