// Falcon: the model, its shape, and what files call its parts.
#pragma once

#include <transept/models/falcon/config.hpp>
#include <transept/models/falcon/model.hpp>
#include <transept/models/falcon/names.hpp>
