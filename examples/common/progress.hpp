// A progress bar on standard error, for a person; nothing where no person looks on.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <string>

#include <common/interruption.hpp>
#include <common/terminal.hpp>

namespace examples {

class progress_bar {
public:
  explicit progress_bar(std::string what) : what_(std::move(what)) {}

  progress_bar(const progress_bar&) = delete;
  progress_bar& operator=(const progress_bar&) = delete;

  /// The line is cleared.
  ~progress_bar() {
    if (shown_ >= 0) clear_line();
  }

  /// Throws interruption where a signal asks for the program's end.
  void show(std::uint64_t done, std::uint64_t total) {
    stop_if_interrupted();
    const int percent =
        total == 0 ? 100 : static_cast<int>(100 * static_cast<double>(done) / static_cast<double>(total));
    if (!is_terminal(stderr) || percent == shown_) return;
    shown_ = percent;
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
    std::string numbers = " " + std::to_string(percent) + "%";
    if (percent > 0 && percent < 100)
      numbers += ", " + decimal(seconds * (100 - percent) / percent, 0) + " s left";
    rewrite_line(what_ + bar(percent, terminal_columns()) + numbers);
  }

private:
  /// " [███···]", as long as its line allows; nothing where that is too short to see anything.
  std::string bar(int percent, std::size_t columns) const {
    const std::size_t others = what_.size() + 24; // brackets, numbers, the cursor
    const std::size_t width = std::min<std::size_t>(40, columns - std::min(columns, others));
    if (width < 8) return "";
    const std::size_t filled = static_cast<std::size_t>(percent) * width / 100;
    std::string text = " [";
    for (std::size_t i = 0; i < width; ++i) text += i < filled ? "█" : "·";
    return text + "]";
  }

  std::string what_;
  int shown_ = -1;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

} // namespace examples
