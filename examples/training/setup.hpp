// Whether a run's settings go together, and the course of the learning rate.
#pragma once

#include <cstddef>
#include <functional>

#include <training/settings.hpp>

namespace examples {

/// Throws transept::argument_error where settings lack what a new run needs, or contradict the model of
/// --from; file_error, format_error, config_error where that cannot be read.
void check_settings(const training_settings& settings);

/// The learning rate of the step after so many.
std::function<double(std::size_t)> rate_of(const training_settings& settings);

} // namespace examples
