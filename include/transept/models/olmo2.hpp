// OLMo 2: the model, its shape, and what files call its parts.
#pragma once

#include <transept/models/olmo2/config.hpp>
#include <transept/models/olmo2/model.hpp>
#include <transept/models/olmo2/names.hpp>
