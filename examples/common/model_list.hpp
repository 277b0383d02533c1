// The model types that the programs know: those of -DTRANSEPT_EXAMPLE_CONFIG, whose shapes are compiled in,
// and every family with its shape told at run time.
#pragma once

#include <example_configs.hpp>

#include <transept/models/all.hpp>

namespace examples {

using known_models = decltype(joined(example_models{}, transept::all_models{}));

} // namespace examples
