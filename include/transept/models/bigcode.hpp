// GPT-BigCode and StarCoder: the model, its shape, and what files call its parts.
#pragma once

#include <transept/models/bigcode/config.hpp>
#include <transept/models/bigcode/model.hpp>
#include <transept/models/bigcode/names.hpp>
