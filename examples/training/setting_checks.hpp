// Which values the settings of a run take, where the library does not check them.
#pragma once

#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

namespace examples {

/// Names of settings, and what checks the text of a value: an option's, or one that was read.
std::vector<std::pair<const char*, CLI::Validator>> setting_checks();

} // namespace examples
