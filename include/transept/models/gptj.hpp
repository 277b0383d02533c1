// GPT-J: the model, its shape, and what files call its parts.
#pragma once

#include <transept/models/gptj/config.hpp>
#include <transept/models/gptj/model.hpp>
#include <transept/models/gptj/names.hpp>
