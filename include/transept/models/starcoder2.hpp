// StarCoder2: the model, its shape, and what files call its parts.
#pragma once

#include <transept/models/starcoder2/config.hpp>
#include <transept/models/starcoder2/model.hpp>
#include <transept/models/starcoder2/names.hpp>
