// GPT-2 and GPT-3: the model, its shape, and what files call its parts.
#pragma once

#include <transept/models/gpt2/config.hpp>
#include <transept/models/gpt2/model.hpp>
#include <transept/models/gpt2/names.hpp>
