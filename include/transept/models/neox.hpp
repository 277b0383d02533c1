// GPT-NeoX and Pythia: the model, its shape, and what files call its parts.
#pragma once

#include <transept/models/neox/config.hpp>
#include <transept/models/neox/model.hpp>
#include <transept/models/neox/names.hpp>
