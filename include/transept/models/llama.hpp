// LLaMA, Mistral, Qwen2, Qwen3, SmolLM3: the model, its shape, and what files call its parts.
#pragma once

#include <transept/models/llama/config.hpp>
#include <transept/models/llama/model.hpp>
#include <transept/models/llama/names.hpp>
