// BERT, RoBERTa, DistilBERT, ALBERT, ELECTRA: their shapes, type, and names in files.
#pragma once

#include <transept/models/bert/config.hpp>
#include <transept/models/bert/model.hpp>
#include <transept/models/bert/names.hpp>
