// Ctrl-C (SIGINT) and SIGTERM, for programs that have something to put in order before they end.
#pragma once

#include <csignal>
#include <exception>

namespace examples {

/// From now on the first of each of these signals only calls `handler`; the same one a second time ends the
/// process. `flags`: more of sigaction's.
inline void handle_ending_signals(void (*handler)(int), int flags = 0) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = static_cast<int>(SA_RESETHAND) | flags;
  for (const int signal : {SIGINT, SIGTERM}) sigaction(signal, &action, nullptr);
}

namespace detail {
inline volatile std::sig_atomic_t ending_signal = 0;
} // namespace detail

/// From now on stop_if_interrupted heeds them.
inline void watch_interruptions() {
  handle_ending_signals([](int signal) { detail::ending_signal = signal; });
}

/// Ends the work, and the program with the exit code of one that a signal ended.
class interruption : public std::exception {
public:
  explicit interruption(int signal) : signal_(signal) {}
  const char* what() const noexcept override { return "interrupted"; }
  int exit_code() const { return 128 + signal_; }

private:
  int signal_;
};

/// Throws interruption where a signal that is watched came.
inline void stop_if_interrupted() {
  if (const int signal = detail::ending_signal) throw interruption(signal);
}

} // namespace examples
