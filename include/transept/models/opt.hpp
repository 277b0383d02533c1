// OPT: the model, its shape, and what files call its parts.
#pragma once

#include <transept/models/opt/config.hpp>
#include <transept/models/opt/model.hpp>
#include <transept/models/opt/names.hpp>
