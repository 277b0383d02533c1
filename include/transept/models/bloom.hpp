// BLOOM: the model, its shape, and what files call its parts.
#pragma once

#include <transept/models/bloom/config.hpp>
#include <transept/models/bloom/model.hpp>
#include <transept/models/bloom/names.hpp>
