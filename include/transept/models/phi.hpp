// Phi 1, 1.5 and 2: the model, its shape, and what files call its parts.
#pragma once

#include <transept/models/phi/config.hpp>
#include <transept/models/phi/model.hpp>
#include <transept/models/phi/names.hpp>
