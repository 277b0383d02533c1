// What a run's settings lead to: a trainer, and the course of the learning rate.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>

#include <training/any_trainer.hpp>
#include <training/data.hpp>
#include <training/settings.hpp>

namespace examples {

/// Throws transept::argument_error where settings lack what a new run needs, or contradict the model of
/// --from; file_error, format_error, config_error where that cannot be read.
void check_settings(const training_settings& settings);

/// The learning rate of the step after so many.
std::function<double(std::size_t)> rate_of(const training_settings& settings);

/// The trainer of the model that a run begins with. Throws argument_error for settings that do not fit it,
/// and what open_trainer and make_trainer do.
std::unique_ptr<any_trainer> first_trainer(const training_settings& settings, const training_data& data,
                                           int threads);

/// The trainer of the model in a folder: one to begin with, or a checkpoint. Throws the same.
std::unique_ptr<any_trainer> trainer_in(const std::filesystem::path& folder,
                                        const training_settings& settings, int threads);

} // namespace examples
