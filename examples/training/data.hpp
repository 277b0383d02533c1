// What a run learns from: a vocabulary and two token files, made once in the run's folder.
//
//   RUN/vocab.json, merges.txt    the vocabulary
//   RUN/training.tokens           transept::token_file
//   RUN/validation.tokens
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <vector>

#include <training/settings.hpp>

#include <transept/text/tokenizer.hpp>
#include <transept/train/batches.hpp>
#include <transept/train/token_file.hpp>
#include <transept/train/token_rows.hpp>

namespace examples {

struct training_data {
  transept::tokenizer tokenizer;
  transept::token_file training, validation;

  transept::token_range all_training() const { return {0, training.size()}; }
  transept::token_range all_validation() const { return {0, validation.size()}; }
};

/// Tokens and targets of a batch.
class token_batch {
public:
  token_batch(std::size_t sequences, std::size_t length)
      : sequences_(static_cast<transept::extent>(sequences)),
        length_(static_cast<transept::extent>(length)),
        tokens_(sequences * length),
        targets_(sequences * length) {}

  std::span<transept::token_id> tokens() { return tokens_; }
  std::span<transept::token_id> targets() { return targets_; }
  transept::token_rows token_rows() const { return {tokens_.data(), sequences_, length_}; }
  transept::token_rows target_rows() const { return {targets_.data(), sequences_, length_}; }

private:
  transept::extent sequences_, length_;
  std::vector<transept::token_id> tokens_, targets_;
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
