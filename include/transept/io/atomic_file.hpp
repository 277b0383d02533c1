// Writing a file so that nobody ever sees half of it.
#pragma once

#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <transept/core/error.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A file written beside its final place and renamed into it by `commit()`. Until then, and after an
/// exception, what stood there before stands there still; a program that has the old file mapped (a model
/// being saved over its own folder) keeps the old bytes. Errors: file_error.
class atomic_file {
public:
  /// Opens a file beside `path`. Of a symbolic link, what it leads to is replaced, not the link; a device or
  /// a pipe is written to as it is.
  explicit atomic_file(std::filesystem::path path);

  atomic_file(const atomic_file&) = delete;
  atomic_file& operator=(const atomic_file&) = delete;

  ~atomic_file();

  /// Adds to what was written before.
  void write(std::span<const std::byte> bytes);
  /// The same of text.
  void write(std::string_view text) { write(std::as_bytes(std::span(text.data(), text.size()))); }

  /// Writes over the file's first bytes; for a header that says how much came after it. Only `commit` may
  /// follow. A pipe cannot go back: file_error.
  void write_beginning(std::span<const std::byte> bytes);

  /// Puts the file in its place. Nothing may be written after it.
  void commit();

private:
  struct closer {
    void operator()(std::FILE* stream) const { std::fclose(stream); }
  };

  [[noreturn]] void fail(const std::string& why) const;

  std::filesystem::path path_;
  std::filesystem::path temporary_; // empty once it is gone
  std::unique_ptr<std::FILE, closer> stream_;
};

/// Writes a whole file at once, as atomic_file does.
TRANSEPT_FUNCTION void write_text(const std::filesystem::path& path, std::string_view text);

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/io/impl/atomic_file.hpp>
#endif
