#include <training/log.hpp>

#include <charconv>
#include <cstdio>
#include <string_view>

#include <transept/core/display.hpp>
#include <transept/core/error.hpp>
#include <transept/io/atomic_file.hpp>
#include <transept/io/mapped_file.hpp>

namespace examples {
namespace {

/// Cuts the text before the first `mark` off and returns it; the whole text where there is none.
std::string_view cut(std::string_view& text, char mark) {
  const std::size_t at = text.find(mark);
  const std::string_view part = text.substr(0, at);
  text.remove_prefix(at == text.npos ? text.size() : at + 1);
  return part;
}

/// Nothing for an empty field; throws where it is no number.
std::optional<double> number_in(std::string_view field) {
  if (field.empty()) return std::nullopt;
  double number = 0;
  const auto [end, problem] = std::from_chars(field.data(), field.data() + field.size(), number);
  if (problem != std::errc{} || end != field.data() + field.size())
    throw transept::format_error("expected a number, found " + transept::quoted(field));
  return number;
}

} // namespace

void check_replaceable(const std::filesystem::path& path, std::string_view beginning, const char* option) {
  if (!std::filesystem::is_regular_file(path) || std::filesystem::is_empty(path)) return;
  if (!transept::mapped_file(path).text().starts_with(beginning))
    throw transept::file_error(path.string() + ": is there already, and not of a training run: give " +
                               option + " another file");
}

std::string training_log::header() const {
  return "iteration,train_loss,val_loss,ms_per_iteration,tokens_per_second" +
         (measure_.empty() ? "" : ",val_" + measure_) + "\n";
}

std::string training_log::line_of(const log_row& row) const {
  const auto number = [](std::optional<double> value, const char* format) {
    char text[40] = "";
    if (value) std::snprintf(text, sizeof text, format, *value);
    return std::string(text);
  };
  return std::to_string(row.iteration) + "," + number(row.training_loss, "%.6f") + "," +
         number(row.validation_loss, "%.6f") + "," + number(row.ms_per_iteration, "%.3f") + "," +
         number(row.tokens_per_second, "%.1f") + (measure_.empty() ? "" : "," + number(row.measure, "%.6f")) +
         "\n";
}

/// The rows after the header up to iteration `last`.
std::vector<log_row> training_log::read_rows(std::size_t last) const {
  std::vector<log_row> rows;
  const transept::mapped_file file(path_);
  std::string_view text = file.text();
  text.remove_prefix(header().size());
  std::size_t line_number = 1;
  try {
    while (text.find('\n') != text.npos) { // a last line without an end was cut off
      ++line_number;
      std::string_view line = cut(text, '\n');
      log_row row{};
      row.iteration = static_cast<std::size_t>(number_in(cut(line, ',')).value_or(0));
      row.training_loss = number_in(cut(line, ','));
      row.validation_loss = number_in(cut(line, ','));
      row.ms_per_iteration = number_in(cut(line, ','));
      row.tokens_per_second = number_in(cut(line, ','));
      row.measure = number_in(cut(line, ','));
      if (row.iteration <= last) rows.push_back(row);
    }
  } catch (const transept::format_error& error) {
    throw transept::format_error(path_.string() + ": line " + std::to_string(line_number) + ": " +
                                 error.what());
  }
  return rows;
}

training_log::training_log(std::filesystem::path path, std::size_t iteration, const std::string& measure)
    : path_(std::move(path)), measure_(measure) {
  check_replaceable(path_, header(), "--log");
  if (iteration > 0 && std::filesystem::is_regular_file(path_) && !std::filesystem::is_empty(path_))
    rows_ = read_rows(iteration);
  transept::atomic_file whole(path_);
  whole.write(header());
  for (const log_row& row : rows_) whole.write(line_of(row));
  whole.commit();
  file_.open(path_, std::ios::app);
}

void training_log::add(const log_row& row) {
  rows_.push_back(row);
  if (!(file_ << line_of(row) << std::flush))
    throw transept::file_error(path_.string() + ": cannot be written");
}

} // namespace examples
