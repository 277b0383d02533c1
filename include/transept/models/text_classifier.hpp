// The classifier of *Transformers from scratch*: the model, its shape, and what files call its parts.
#pragma once

#include <transept/models/text_classifier/config.hpp>
#include <transept/models/text_classifier/model.hpp>
#include <transept/models/text_classifier/names.hpp>
