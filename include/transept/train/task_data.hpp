// Labelled texts for an encoder's tasks, from files of JSON lines:
//
//   {"text": "a fine film", "label": "positive"}               sequence_classification; "second": another
//   text
//   {"text": "…", "second": "…", "label": 3.5}                 the same with numbers: a regression
//   {"tokens": ["Ada", "lives", "in", "London"], "tags": ["B-PER", "O", "O", "B-LOC"]} token_classification
//   {"question": "Where?", "context": "In London.", "answer": "London", "begin": 3}        question_answering
//
// Answers may also stand as SQuAD has them, "answers": {"text": [...], "answer_start": [...]}; begins are
// counted in characters.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/core/types.hpp>
#include <transept/encode/encoder_session.hpp>
#include <transept/models/encoder_head.hpp>
#include <transept/text/encoded_text.hpp>
#include <transept/text/tokenizer.hpp>
#include <transept/train/encoder_loss.hpp>

namespace transept::inline TRANSEPT_ABI {

/// Texts and targets that are trained on together.
struct task_batch {
  text_batch texts;              ///< with what belongs around them
  std::vector<int> labels;       ///< as encoder_targets
  std::vector<float> values;     ///< likewise
  std::vector<int> begins, ends; ///< likewise
  /// Of question_answering: which tokens of each text an answer may be of.
  std::vector<text_span> contexts;

  encoder_targets targets() const {
    return {.labels = labels, .values = values, .begins = begins, .ends = ends};
  }             ///< valid until it changes
  void clear(); ///< without texts again
};

/// What targets of labelled texts mean.
struct task_labels {
  std::vector<std::string> names = {}; ///< of each label, by number; of a regression one
  bool are_numbers = false;            ///< a regression: labels are numbers
};

/// The labels that files of labelled texts have, sorted by name; fractions make a regression of all. None for
/// question_answering. Throws as task_data does.
TRANSEPT_FUNCTION task_labels read_labels(std::span<const std::filesystem::path> paths, encoder_head head);

/// The examples of a file, tokenized.
class task_data {
public:
  /// Reads a file for a head: sequence_classification, token_classification or question_answering. `labels`
  /// are those of a model, and others are an error; none: those that the file has (read_labels). Texts longer
  /// than `most_tokens` are cut; an answer that is cut off is no target. Throws file_error;
  /// format_error, with the line's number, for lines that are not as above; argument_error for another head.
  task_data(const std::filesystem::path& path, encoder_head head, const tokenizer& tokenizer,
            std::size_t most_tokens, task_labels labels = {});

  std::size_t size() const { return examples_.size(); } ///< examples
  const task_labels& labels() const { return labels_; } ///< what targets mean
  std::size_t tokens(std::size_t example) const { return examples_[example].ids.size(); } ///< of an example

  /// Adds an example to a batch.
  void add_to(task_batch& batch, std::size_t example) const;

private:
  struct read_example {
    std::vector<token_id> ids;
    std::vector<int> types, labels;
    float value = 0;
    int begin = -1, end = -1;
    text_span context = {0, 0};
  };

  encoder_head head_;
  task_labels labels_;
  std::vector<read_example> examples_;
};

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/train/impl/task_data.hpp>
#endif
