// examples/train.cpp, as its tests run it: a text, a folder, settings with which it takes a moment.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include <support/catch.hpp>

#include <support/program_run.hpp>

namespace support {

using arguments = std::vector<std::string>;

/// A text of its own kind: what the shipped model has never seen.
inline std::string sums() {
  std::string text;
  for (int i = 0; i < 1500; ++i)
    text += std::to_string(i % 89) + " and " + std::to_string(i % 7) + " make " +
            std::to_string(i % 89 + i % 7) + ".\n";
  return text;
}

/// A folder with a text, and the command that learns it in a moment.
struct train_workplace : temporary_folder {
  train_workplace() { write_file(path() / "text", sums()); }

  arguments command(const std::string& out, const arguments& more = {}) const {
    arguments all{"--text",
                  (path() / "text").string(),
                  "--out",
                  (path() / out).string(),
                  "--iterations",
                  "24",
                  "--context",
                  "16",
                  "--batch",
                  "4",
                  "--warmup",
                  "4",
                  "--evaluate-every",
                  "12",
                  "--evaluate-batches",
                  "2",
                  "--checkpoint-every",
                  "8",
                  "--sample-tokens",
                  "8"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  program_run train(const std::string& out, const arguments& more = {}) const {
    return run_program("train", command(out, more));
  }
  std::string read(const std::string& file) const { return read_file(path() / file); }
};

inline void check_error(const program_run& run, const std::string& first_line) {
  CHECK(run.exit_code == 1);
  CHECK(run.first_error_line() == first_line);
}

/// The numbers of a column of a CSV file; NaN where it is empty.
inline std::vector<double> column(const std::string& csv, std::size_t index) {
  std::vector<double> numbers;
  std::size_t line = csv.find('\n') + 1;
  for (; line < csv.size(); line = csv.find('\n', line) + 1) {
    std::size_t field = line;
    for (std::size_t i = 0; i < index; ++i) field = csv.find(',', field) + 1;
    const std::string text = csv.substr(field, csv.find_first_of(",\n", field) - field);
    numbers.push_back(text.empty() ? std::nan("") : std::stod(text));
  }
  return numbers;
}

} // namespace support
