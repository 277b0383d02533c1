// GPT-Neo: the model, its shape, and what files call its parts.
#pragma once

#include <transept/models/gpt_neo/config.hpp>
#include <transept/models/gpt_neo/model.hpp>
#include <transept/models/gpt_neo/names.hpp>
