// How token files are written and read (train/token_file.hpp).
#pragma once

#include <cstddef>
#include <cstring>
#include <string>

#include <transept/core/error.hpp>
#include <transept/train/token_file.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

constexpr std::uint32_t id_width(std::uint64_t vocabulary_size) { return vocabulary_size <= 65536 ? 2 : 4; }

} // namespace detail

TRANSEPT_FUNCTION token_file_writer::token_file_writer(const std::filesystem::path& path,
                                                       std::size_t vocabulary_size)
    : file_(path) {
  if (vocabulary_size == 0 || vocabulary_size > std::size_t{1} << 31)
    throw argument_error("vocabulary_size must be from 1 to 2^31; got " + std::to_string(vocabulary_size));
  header_.vocabulary_size = vocabulary_size;
  header_.width = detail::id_width(vocabulary_size);
  file_.write(std::as_bytes(std::span(&header_, 1)));
}

TRANSEPT_FUNCTION void token_file_writer::append(std::span<const token_id> ids) {
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

TRANSEPT_FUNCTION void token_file_writer::commit() {
  file_.write_beginning(std::as_bytes(std::span(&header_, 1)));
  file_.commit();
}

TRANSEPT_FUNCTION token_file::token_file(const std::filesystem::path& path) : file_(path) {
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

TRANSEPT_FUNCTION void token_file::fail(const std::string& what) const {
  throw format_error(path().string() + ": " + what);
}

template <class Id>
void token_file::copy(std::size_t first, std::span<token_id> out) const {
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

TRANSEPT_FUNCTION void token_file::read(std::size_t first, std::span<token_id> out) const {
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

} // namespace transept::inline TRANSEPT_ABI
