// MPT: the model, its shape, and what files call its parts.
#pragma once

#include <transept/models/mpt/config.hpp>
#include <transept/models/mpt/model.hpp>
#include <transept/models/mpt/names.hpp>
