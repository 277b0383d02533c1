// What the programs do differently when a person looks on: colours, a line to type on, numbers for the eye.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>

#include <sys/ioctl.h>
#include <unistd.h>

#include <transept/core/display.hpp>

namespace examples {

inline bool is_terminal(std::FILE* stream) { return isatty(fileno(stream)) == 1; }

/// How many columns the terminal of standard error has; 80 where it does not say.
inline std::size_t terminal_columns() {
  winsize size{};
  return ioctl(fileno(stderr), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/// Writes `text` over the terminal's current line, on standard error: as much of it as the line holds, a
/// column for each character, so that it never goes on to a second line.
inline void rewrite_line(std::string_view text) {
  std::size_t columns = 0, bytes = 0;
  const std::size_t most = terminal_columns() - 1; // the cursor stands in the last
  for (; bytes < text.size(); ++bytes) {
    const bool begins = (static_cast<unsigned char>(text[bytes]) & 0xc0u) != 0x80u; // a character of UTF-8
    if (begins && ++columns > most) break;
  }
  std::cerr << "\r" << text.substr(0, bytes) << "\033[K" << std::flush;
}

/// Leaves that line empty.
inline void clear_line() { rewrite_line(""); }

/// Escape sequences for standard output: empty strings unless it is a terminal.
struct style {
  bool on = is_terminal(stdout);

  const char* bold() const { return on ? "\033[1m" : ""; }
  const char* dim() const { return on ? "\033[2m" : ""; }
  const char* colour() const { return on ? "\033[36m" : ""; }
  const char* plain() const { return on ? "\033[0m" : ""; }
  /// Clears the screen.
  const char* clear() const { return on ? "\033[H\033[2J" : ""; }
};

/// Text on standard output, shown as it comes. Its colours and its last line end with this: an error that
/// ends the program is told on a line of its own.
class shown_text {
public:
  shown_text() = default;
  shown_text(const shown_text&) = delete;
  shown_text& operator=(const shown_text&) = delete;

  ~shown_text() {
    std::cout << style().plain();
    if (last_ != 0) end_line();
  }

  void show(std::string_view text) {
    std::cout << text << std::flush;
    if (!text.empty()) last_ = text.back();
  }

  /// Nothing where the text ends in a line feed.
  void end_line() {
    if (last_ != '\n') show("\n");
  }

private:
  char last_ = 0;
};

/// A text for the terminal: what is no UTF-8, and control characters other than line feed and tab, are shown
/// as a replacement character, so that no text can move the cursor or change colours.
inline std::string displayable(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    std::uint32_t code_point = 0;
    const std::size_t length = transept::detail::utf8_sequence(text, code_point);
    const bool good = length != 0 && (code_point == '\n' || code_point == '\t' ||
                                      transept::detail::is_displayable(code_point));
    shown += good ? text.substr(0, length) : std::string_view("\ufffd");
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return shown;
}

/// What the library has to say beside its results, on stderr.
inline void print_note(const std::string& note) { std::cerr << "note: " << displayable(note) << "\n"; }

/// 47843 as 47,843.
inline std::string grouped(std::size_t number) {
  const std::string digits = std::to_string(number);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

/// A number with `digits` after the point.
inline std::string decimal(double number, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, number);
  return text;
}

/// What a person types, or a pipe brings: a line without its line feed. One that ends in a backslash goes on
/// with the next, a line feed between them. Nothing at the end of the input. `marker` is shown only to a
/// person.
inline std::optional<std::string> read_line(std::string_view marker) {
  const bool person = is_terminal(stdin);
  std::string text, line;
  for (bool more = false;; more = true) {
    if (person) std::cerr << (more ? "... " : marker) << std::flush;
    if (!std::getline(std::cin, line)) {
      if (person) std::cerr << "\n";
      return more ? std::optional(text) : std::nullopt;
    }
    if (!line.ends_with('\\')) return text + line;
    line.back() = '\n';
    text += line;
  }
}

} // namespace examples
