// Gemma 1 and 2: the model, its shape, and what files call its parts.
#pragma once

#include <transept/models/gemma/config.hpp>
#include <transept/models/gemma/model.hpp>
#include <transept/models/gemma/names.hpp>
