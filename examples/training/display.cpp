#include <training/display.hpp>

#include <algorithm>
#include <iostream>
#include <optional>
#include <vector>

#include <common/arithmetic.hpp>
#include <common/terminal.hpp>

#include <transept/core/error.hpp>

namespace examples {

display::display(any_trainer& trainer, const training_data& data, const training_settings& settings)
    : trainer_(trainer), data_(data), s_(settings), peak_(arithmetic_peak(trainer.threads())) {}

void display::introduce(std::size_t done) const {
  const auto shape = trainer_.shape();
  const style look;
  std::cout << look.bold() << s_.preset << look.plain() << ": " << shape.n_layer << " layers, width "
            << shape.n_embd << ", " << shape.n_head << " heads; " << grouped(trainer_.parameter_count())
            << " parameters\n"
            << grouped(data_.training.size()) << " tokens to learn from, " << grouped(data_.validation.size())
            << " to check with, of a vocabulary of " << grouped(data_.tokenizer.vocabulary_size()) << "\n"
            << grouped(s_.iterations) << " iterations of " << grouped(s_.batch * s_.accumulate * s_.context)
            << " tokens on " << trainer_.threads().size() << " threads";
  if (done > 0) std::cout << ", going on after " << grouped(done);
  std::cout << "\n\"of peak\" is part of the " << decimal(peak_ / 1e9, 0)
            << " GFLOP/s that f32 multiply-adds alone reach now\n\n"
            << look.dim() << " iteration   training  validation   tokens/s  of peak  time left"
            << look.plain() << std::endl;
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
  put(11, row.tokens_per_second, whole);
  put(9, row.tokens_per_second, [&](double number) { return decimal(share_of_peak(number), 2); });
  put(11, row.ms_per_iteration, [&](double ms) { return time_left(row.iteration, ms); });
  std::cout << std::endl;
}

void display::show_line(std::size_t done, double loss, double ms_per_iteration) {
  const auto now = std::chrono::steady_clock::now();
  if (!is_terminal(stderr) || now - shown_ < std::chrono::milliseconds(200)) return;
  shown_ = now;
  const double tokens = static_cast<double>(s_.batch * s_.accumulate * s_.context) / ms_per_iteration * 1e3;
  rewrite_line(grouped(done) + " of " + grouped(s_.iterations) + ", loss " + decimal(loss, 3) + ", " +
               grouped(static_cast<std::size_t>(tokens)) + " tokens/s, " + decimal(share_of_peak(tokens), 2) +
               " of peak, " + time_left(done, ms_per_iteration) + " left");
}

void display::clear_line() {
  if (is_terminal(stderr)) examples::clear_line();
}

void display::show_sample() const {
  const style look;
  const std::string begin = prompt();
  const std::string text = begin + trainer_.sample(data_.tokenizer, begin, s_.sample_tokens, s_.seed);
  std::cout << look.dim() << "  | ";
  for (const char c : displayable(text).substr(std::min(text.find_first_not_of('\n'), text.size())))
    std::cout << c << (c == '\n' ? "  | " : "");
  std::cout << look.plain() << std::endl;
}

double display::share_of_peak(double tokens_per_second) const {
  const auto length = static_cast<double>(s_.context);
  return trainer_.operations(tokens_per_second / length, length) / peak_;
}

std::string display::time_left(std::size_t done, double ms_per_iteration) const {
  const auto seconds =
      static_cast<std::size_t>(ms_per_iteration / 1e3 * static_cast<double>(s_.iterations - done));
  const auto two = [](std::size_t n) { return (n < 10 ? "0" : "") + std::to_string(n); };
  return (seconds >= 3600 ? std::to_string(seconds / 3600) + ":" : "") + two(seconds / 60 % 60) + ":" +
         two(seconds % 60);
}

/// --prompt; or, where the vocabulary has no tokens for it, the text's first token.
std::string display::prompt() const {
  try {
    if (!s_.prompt.empty() && !data_.tokenizer.encode(s_.prompt).empty()) return s_.prompt;
  } catch (const transept::tokenizer_error&) {
  }
  std::vector<transept::token_id> first(1);
  data_.training.read(0, first);
  return data_.tokenizer.decode(first);
}

} // namespace examples
