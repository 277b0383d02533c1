// A training run: its folder, and the loop.
//
//   RUN/train.json                 its settings
//   RUN/vocab.json, …, *.tokens    what it learns from (training/data.hpp); labelled texts are *.jsonl
//   RUN/checkpoint-500/            the model after 500 steps, with all that the run needs to go on
//   RUN/config.json, model.safetensors   the best model so far, for every program that reads such folders
//   RUN/log.csv, loss.svg          its course
#pragma once

#include <filesystem>

#include <training/settings.hpp>

namespace examples {

struct run_options {
  std::filesystem::path folder;
  bool resume = false;
  int threads = 0;
};

/// Trains until all iterations are done, or a signal (SIGINT, SIGTERM) comes. Throws transept::error; then
/// the last checkpoint stands.
void train(const training_settings& settings, const run_options& options);

} // namespace examples
