// A progress bar on standard error, for a person; nothing where no person looks on.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <string>

#include <common/terminal.hpp>

namespace examples {

class progress_bar {
public:
  explicit progress_bar(std::string what) : what_(std::move(what)) {}

  progress_bar(const progress_bar&) = delete;
  progress_bar& operator=(const progress_bar&) = delete;

  /// The line is cleared.
  ~progress_bar() {
    if (shown_ >= 0) std::cerr << "\r\033[K" << std::flush;
  }

  void show(std::uint64_t done, std::uint64_t total) {
    const int percent =
        total == 0 ? 100 : static_cast<int>(100 * static_cast<double>(done) / static_cast<double>(total));
    if (!is_terminal(stderr) || percent == shown_) return;
    shown_ = percent;
    constexpr std::size_t longest = 40, others = 28; // " [] 100%, 1234567890 s left"
    const std::size_t room = terminal_columns(stderr), taken = what_.size() + others;
    const int width = static_cast<int>(std::min(longest, room > taken ? room - taken : 0));
    const int filled = percent * width / 100;
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
    std::string line = "\r" + what_ + " [";
    for (int i = 0; i < width; ++i) line += i < filled ? "█" : "·";
    line += "] " + std::to_string(percent) + "%";
    if (percent > 0 && percent < 100)
      line += ", " + decimal(seconds * (100 - percent) / percent, 0) + " s left";
    std::cerr << line << "\033[K" << std::flush;
  }

private:
  std::string what_;
  int shown_ = -1;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

} // namespace examples
