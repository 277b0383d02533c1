// GPT: the model, its shape, and what files call its parts.
#pragma once

#include <transept/models/gpt1/config.hpp>
#include <transept/models/gpt1/model.hpp>
#include <transept/models/gpt1/names.hpp>
