// The texts that a program reads: files, which need not fit into memory, or standard input.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <common/ids.hpp>
#include <common/progress.hpp>

#include <transept/io/mapped_file.hpp>

namespace examples {

class input_texts {
public:
  /// Maps the files; a pipe, or "-" (standard input), is read to its end. No file: standard input. Throws
  /// file_error, argument_error for a text that is no UTF-8 but UTF-16.
  explicit input_texts(const std::vector<std::filesystem::path>& paths) {
    if (paths.empty()) add("-");
    for (const auto& path : paths) add(path);
  }

  std::uint64_t bytes() const { return bytes_; }

  /// Calls f(text, progress of the text) for each, with a bar for all.
  template <class F>
  void for_each(const std::string& what, F&& f) const {
    progress_bar bar(what);
    std::uint64_t before = 0;
    for (const std::string_view text : texts_) {
      f(text, [&](std::uint64_t done) { bar.show(before + done, bytes_); });
      before += text.size();
    }
  }

private:
  void add(const std::filesystem::path& path) {
    if (std::filesystem::is_regular_file(path)) {
      texts_.push_back(files_.emplace_back(path).text());
    } else {
      texts_.push_back(read_.emplace_back(read_all(path)));
    }
    check_encoding(texts_.back(), path == "-" ? "standard input" : path.string());
    bytes_ += texts_.back().size();
  }

  std::vector<transept::mapped_file> files_;
  std::deque<std::string> read_;
  std::vector<std::string_view> texts_;
  std::uint64_t bytes_ = 0;
};

} // namespace examples
