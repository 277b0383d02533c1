// StableLM: the model, its shape, and what files call its parts.
#pragma once

#include <transept/models/stablelm/config.hpp>
#include <transept/models/stablelm/model.hpp>
#include <transept/models/stablelm/names.hpp>
