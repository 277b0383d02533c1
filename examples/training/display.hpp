// What a person sees of a run.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include <training/log.hpp>
#include <training/settings.hpp>
#include <training/task.hpp>

namespace examples {

class display {
public:
  /// Both must outlive it. Measures what the processor can do.
  display(training_task& task, const training_settings& settings);

  /// The run, after so many iterations, and the head of the table.
  void introduce(std::size_t done) const;

  /// A row of the table.
  void show(const log_row& row) const;

  /// A line that changes, for a person alone: after `done` iterations, the last with `loss`.
  void show_line(std::size_t done, double loss, double ms_per_iteration);
  static void clear_line();

  /// A text that the model writes, where it does.
  void show_sample() const;

private:
  double share_of_peak(double tokens_per_second) const;
  std::string time_left(std::size_t done, double ms_per_iteration) const;

  training_task& task_;
  const training_settings& s_;
  double peak_; ///< operations per second
  std::chrono::steady_clock::time_point shown_{};
};

} // namespace examples
