// What a run learns from: a vocabulary, and token files or labelled texts, made once in the run's folder.
//
//   RUN/vocab.json, merges.txt, …             the vocabulary
//   RUN/training.tokens, validation.tokens    of a text: transept::token_file
//   RUN/training.jsonl, validation.jsonl      of labelled texts: lines of --data
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <training/settings.hpp>

#include <transept/models/encoder_head.hpp>
#include <transept/text/tokenizer.hpp>
#include <transept/train/batches.hpp>
#include <transept/train/task_data.hpp>
#include <transept/train/token_file.hpp>
#include <transept/train/token_rows.hpp>

namespace examples {

struct text_data {
  transept::tokenizer tokenizer;
  transept::token_file training, validation;

  transept::token_range all_training() const { return {0, training.size()}; }
  transept::token_range all_validation() const { return {0, validation.size()}; }
};

struct labelled_data {
  transept::tokenizer tokenizer;
  transept::task_data training, validation;
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

/// What of it is learned, and what is kept for checking.
struct split_text {
  std::string_view training, validation;
};

/// Reads what --text or --data name, makes or copies the vocabulary, tokenizes texts. Throws file_error,
/// format_error, argument_error, tokenizer_error.
void prepare_data(const training_settings& settings, const std::filesystem::path& run, int threads);

/// Its parts: the vocabulary, from the training part of a text or what --vocabulary or --from name; and
/// files.
void make_vocabulary(const training_settings& settings, const split_text& texts,
                     const std::filesystem::path& run, transept::thread_pool& threads);
void prepare_labelled_data(const training_settings& settings, const std::filesystem::path& run,
                           transept::thread_pool& threads);

/// What prepare_data left. Throws file_error, format_error, tokenizer_error.
text_data open_text_data(const std::filesystem::path& run);
labelled_data open_labelled_data(const training_settings& settings, const std::filesystem::path& run);

/// "1,000 tokens to learn from, …"
std::string in_words(const text_data& data);

/// The head that learns a task from labelled texts.
transept::encoder_head head_of_task(const training_settings& settings);

/// Throws transept::argument_error where a vocabulary that was asked for is too large for the model.
void check_vocabulary(const training_settings& settings, const transept::tokenizer& tokenizer,
                      std::size_t vocab_size);

/// The token that fills up texts elsewhere: [PAD], <pad>; 0 where there is none.
transept::token_id padding_token(const transept::tokenizer& tokenizer);

/// The token that masks a word. Throws transept::argument_error, which begins with the option that needs it,
/// where there is none.
transept::token_id mask_of(const transept::tokenizer& tokenizer, const std::string& option);

/// Characters (code points) of the validation text that its tokens but the first stand for, whose losses are
/// added up.
std::size_t validation_characters(const text_data& data);

} // namespace examples
