// A training run: its folder, and the loop.
//
//   RUN/train.json                 its settings
//   RUN/vocab.json, …, *.tokens    what it learns from (training/data.hpp)
//   RUN/checkpoint-500/            the model after 500 steps, with all that the run needs to go on
//   RUN/config.json, model.safetensors   the best model so far, for every program that reads such folders
//   RUN/log.csv, loss.svg          its course
#pragma once

#include <filesystem>

#include <training/settings.hpp>

namespace examples {

struct run_options {
  std::filesystem::path folder;
  std::filesystem::path log, picture; ///< none: in the folder
  bool resume = false;
  int threads = 0;
};

/// What a run in this folder was begun with; the defaults of `preset` where none was. Throws
/// transept::argument_error, and format_error where train.json is broken.
training_settings settings_of_run(const std::filesystem::path& folder, const std::string& preset);

/// Trains until all iterations are done, or a signal (SIGINT, SIGTERM) comes. Throws transept::error; then
/// the last checkpoint stands.
void train(const training_settings& settings, const run_options& options);

} // namespace examples
