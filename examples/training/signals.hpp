// SIGINT (Ctrl-C) and SIGTERM: the first asks a run to end, the second ends it.
#pragma once

#include <cerrno>
#include <csignal>
#include <string_view>

#include <unistd.h>

#include <common/interruption.hpp>

namespace examples {

/// Whether the first has come.
inline volatile std::sig_atomic_t interrupted = 0;

inline void end_at_signals() {
  const auto note = [](int) {
    constexpr std::string_view said = "\nFinishing this iteration; Ctrl-C again ends at once.\n";
    const int before = errno;
    interrupted = 1;
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, said.data(), said.size());
    errno = before;
  };
  handle_ending_signals(note, SA_RESTART);
}

} // namespace examples
