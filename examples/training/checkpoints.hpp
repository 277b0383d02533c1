// A run's checkpoints: RUN/checkpoint-N, whole or not there.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <training/any_trainer.hpp>
#include <training/divergence.hpp>

namespace examples {

/// Where a run stands, beside what its trainer knows.
struct run_progress {
  std::size_t iteration = 0; ///< optimizer steps made
  double loss_sum = 0;       ///< of the steps since the log's last row
  std::size_t loss_count = 0;
  std::optional<double> best_loss = {}, best_measure = {}; ///< validation's
  std::size_t best_iteration = 0;
  loss_course course = {}; ///< training's
};

/// The iterations of the checkpoints there are, ascending.
std::vector<std::size_t> checkpoints_in(const std::filesystem::path& run);

std::filesystem::path checkpoint_folder(const std::filesystem::path& run, std::size_t iteration);

/// Whether a folder of this name is one that was not finished, or not wholly removed.
bool is_partial_checkpoint(std::string_view name);

/// Writes a checkpoint and removes the oldest of more than `keep`. Throws transept::file_error.
void save_checkpoint(any_trainer& trainer, const run_progress& progress, const std::filesystem::path& run,
                     std::size_t keep);

/// Gives a trainer, opened from the checkpoint's folder, the rest of it. Throws transept::file_error,
/// format_error, shape_error.
run_progress load_checkpoint(any_trainer& trainer, const std::filesystem::path& checkpoint);

} // namespace examples
