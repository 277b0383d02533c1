#include <training/display.hpp>

#include <algorithm>
#include <iostream>
#include <optional>
#include <string>

#include <common/arithmetic.hpp>
#include <common/terminal.hpp>

namespace examples {

namespace {

/// Of an iteration, on average.
double tokens_of_iteration(const training_task& task, const training_settings& s) {
  return task.sequences() * task.length() * static_cast<double>(s.accumulate);
}

} // namespace

display::display(training_task& task, const training_settings& settings)
    : task_(task), s_(settings), peak_(arithmetic_peak(task.trainer().threads())) {}

void display::introduce(std::size_t done) const {
  any_trainer& trainer = task_.trainer();
  const auto shape = trainer.shape();
  const style look;
  const double tokens = tokens_of_iteration(task_, s_);
  std::cout << look.bold() << s_.preset << look.plain() << ": " << shape.n_layer << " layers, width "
            << shape.n_embd << ", " << shape.n_head << " heads; " << grouped(trainer.parameter_count())
            << " parameters\n"
            << task_.data_in_words() << "\n"
            << grouped(s_.iterations) << " iterations of " << (is_labelled(s_) ? "about " : "")
            << grouped(static_cast<std::size_t>(tokens)) << " tokens on " << trainer.threads().size()
            << " threads";
  if (done > 0) std::cout << ", going on after " << grouped(done);
  std::cout << "\n\"of peak\" is part of the " << decimal(peak_ / 1e9, 0)
            << " GFLOP/s that f32 multiply-adds alone reach now\n\n"
            << look.dim() << " iteration   training  validation";
  if (!task_.measure().empty()) std::cout << std::string(11 - task_.measure().size(), ' ') << task_.measure();
  std::cout << "   tokens/s  of peak  time left" << look.plain() << std::endl;
}

void display::show(const log_row& row) const {
  clear_line();
  const auto put = [](std::size_t width, const std::optional<double>& value, const auto& in_words) {
    const std::string text = value ? in_words(*value) : "-";
    std::cout << std::string(text.size() < width ? width - text.size() : 0, ' ') << text;
  };
  const auto loss = [](double nats) { return decimal(nats, 4); };
  const auto whole = [](double number) { return grouped(static_cast<std::size_t>(number)); };
  put(10, static_cast<double>(row.iteration), whole);
  put(11, row.training_loss, loss);
  put(12, row.validation_loss, loss);
  if (!task_.measure().empty()) put(11, row.measure, loss);
  put(11, row.tokens_per_second, whole);
  put(9, row.tokens_per_second, [&](double number) { return decimal(share_of_peak(number), 2); });
  put(11, row.ms_per_iteration, [&](double ms) { return time_left(row.iteration, ms); });
  std::cout << std::endl;
}

void display::show_line(std::size_t done, double loss, double ms_per_iteration) {
  const auto now = std::chrono::steady_clock::now();
  if (!is_terminal(stderr) || now - shown_ < std::chrono::milliseconds(200)) return;
  shown_ = now;
  const double tokens = tokens_of_iteration(task_, s_) / ms_per_iteration * 1e3;
  rewrite_line(grouped(done) + " of " + grouped(s_.iterations) + ", loss " + decimal(loss, 3) + ", " +
               grouped(static_cast<std::size_t>(tokens)) + " tokens/s, " + decimal(share_of_peak(tokens), 2) +
               " of peak, " + time_left(done, ms_per_iteration) + " left");
}

void display::clear_line() {
  if (is_terminal(stderr)) examples::clear_line();
}

void display::show_sample() const {
  const std::string text = task_.sample();
  if (text.empty()) return;
  const style look;
  std::cout << look.dim() << "  | ";
  for (const char c : displayable(text).substr(std::min(text.find_first_not_of('\n'), text.size())))
    std::cout << c << (c == '\n' ? "  | " : "");
  std::cout << look.plain() << std::endl;
}

double display::share_of_peak(double tokens_per_second) const {
  return task_.trainer().operations(tokens_per_second / task_.length(), task_.length()) / peak_;
}

std::string display::time_left(std::size_t done, double ms_per_iteration) const {
  const auto seconds =
      static_cast<std::size_t>(ms_per_iteration / 1e3 * static_cast<double>(s_.iterations - done));
  const auto two = [](std::size_t n) { return (n < 10 ? "0" : "") + std::to_string(n); };
  return (seconds >= 3600 ? std::to_string(seconds / 3600) + ":" : "") + two(seconds / 60 % 60) + ":" +
         two(seconds % 60);
}

} // namespace examples
