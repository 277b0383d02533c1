// What a run learns from: a vocabulary and two token files, made once in the run's folder.
//
//   RUN/vocab.json, merges.txt    the vocabulary
//   RUN/training.tokens           transept::token_file
//   RUN/validation.tokens
#pragma once

#include <cstddef>
#include <filesystem>

#include <training/settings.hpp>

#include <transept/text/tokenizer.hpp>
#include <transept/train/batches.hpp>
#include <transept/train/token_file.hpp>

namespace examples {

struct training_data {
  transept::tokenizer tokenizer;
  transept::token_file training, validation;

  transept::token_range all_training() const { return {0, training.size()}; }
  transept::token_range all_validation() const { return {0, validation.size()}; }
};

/// Reads the texts, makes or copies the vocabulary, tokenizes. Throws file_error, argument_error,
/// tokenizer_error.
void prepare_data(const training_settings& settings, const std::filesystem::path& run, int threads);

/// What prepare_data left. Throws file_error, format_error, tokenizer_error.
training_data open_data(const std::filesystem::path& run);

/// Characters (code points) of the validation text that its tokens but the first stand for, whose losses are
/// added up.
std::size_t validation_characters(const training_data& data);

} // namespace examples
