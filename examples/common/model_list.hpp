// The model types that the programs know: those of -DTRANSEPT_EXAMPLE_CONFIG, whose shapes are compiled in,
// and every family with its shape told at run time.
#pragma once

#include <example_configs.hpp>

#include <transept/models/all.hpp>
#include <transept/models/all_encoders.hpp>

namespace examples {

using known_models = decltype(joined(example_models{}, transept::all_models{}));

/// What files may hold: decoders and encoders.
using all_kinds = decltype(joined(transept::all_models{}, transept::all_encoders{}));

} // namespace examples
