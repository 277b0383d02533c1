// The course of a run: a table in a file, and a picture of it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace examples {

struct log_row {
  std::size_t iteration;
  std::optional<double> training_loss = {}, validation_loss = {}; ///< nats per token, or per label
  std::optional<double> ms_per_iteration = {}, tokens_per_second = {};
  std::optional<double> measure = {}; ///< of the validation data: accuracy, f1
};

/// A CSV file with the columns iteration, train_loss, val_loss, ms_per_iteration, tokens_per_second, and
/// where a task has one, its measure, as val_accuracy; what a row does not know is empty. Errors:
/// transept::file_error, transept::format_error.
class training_log {
public:
  /// Goes on with the file's rows up to `iteration`; what a killed run wrote after its last checkpoint is
  /// taken back. Throws file_error, and changes nothing, where the file is no such table.
  training_log(std::filesystem::path path, std::size_t iteration, const std::string& measure);

  void add(const log_row& row);
  const std::vector<log_row>& rows() const { return rows_; }

private:
  std::string header() const;
  std::string line_of(const log_row& row) const;
  std::vector<log_row> read_rows(std::size_t last) const;

  std::filesystem::path path_;
  std::string measure_; ///< its name; empty: there is no such column
  std::vector<log_row> rows_;
  std::ofstream file_;
};

/// Where a run's picture goes. Throws transept::file_error where there is a file that is no such picture.
std::filesystem::path picture_place(std::filesystem::path path);

/// Throws transept::file_error where a file is there that does not begin as a run's own does, which would be
/// replaced. `option` is what gives another place.
void check_replaceable(const std::filesystem::path& path, std::string_view beginning, const char* option);

/// The losses over the iterations, as SVG. unit: "nats per token".
std::string loss_curve(const std::string& title, const std::string& unit, const std::vector<log_row>& rows);

} // namespace examples
