// How well an encoder does on labelled texts.
//
//   const task_data data("held_out.jsonl", head, tokenizer, 512, {model.settings.labels});
//   const task_score score = score_task(model, session, data);      // score.accuracy
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/encode/encode.hpp>
#include <transept/encode/encoder_session.hpp>
#include <transept/encode/scores.hpp>
#include <transept/models/encoder_head.hpp>
#include <transept/tensor/xtensor.hpp>
#include <transept/train/encoder_loss.hpp>
#include <transept/train/task_data.hpp>

namespace transept::inline TRANSEPT_ABI {

/// What a model made of labelled texts.
struct task_score {
  std::size_t examples = 0; ///< texts
  double loss = 0;          ///< the mean over labels, values or answers
  /// The share of texts, or words, whose label is right; of answers, those that are right from begin to end.
  /// None of a regression.
  std::optional<double> accuracy = {};
  /// Of entities, as seqeval counts them (token_classification with labels that begin with B-); of answers
  /// the mean over questions, of the tokens that both have, as SQuAD's of words. An answer that was cut off
  /// is not found.
  std::optional<double> f1 = {};
};

namespace detail {

/// Counts batch by batch.
class task_scorer {
public:
  task_scorer(encoder_head head, std::span<const std::string> labels, std::string_view problem_type)
      : head_(head), labels_(labels), has_many_labels_(problem_type == "multi_label_classification") {}

  /// What a model gave for a batch; logits become scratch.
  void add(const task_batch& batch, array<2>& logits);
  task_score score() const;

private:
  void add_labels(const task_batch& batch, const array<2>& logits);
  void add_answers(const task_batch& batch, const array<2>& logits);

  encoder_head head_;
  std::span<const std::string> labels_;
  bool has_many_labels_, has_values_ = false;
  std::size_t examples_ = 0, counted_ = 0, judged_ = 0, right_ = 0;
  double losses_ = 0, overlaps_ = 0;
  label_score entities_;
};

} // namespace detail

/// Runs a model over labelled texts, `at_once` at a time: one of the library's encoders, or anything that
/// encode() takes like one and that has their `settings`. `data` was read for the model's head and labels.
/// Throws as encode and check_targets do; argument_error for a model of `multi_label_classification`.
template <class Model>
task_score score_task(const Model& model, encoder_session& session, const task_data& data,
                      std::size_t at_once = 64) {
  detail::task_scorer scorer(model.settings.head, model.settings.labels, model.settings.problem_type);
  task_batch batch;
  at_once = std::max<std::size_t>(at_once, 1);
  for (std::size_t first = 0; first < data.size(); first += at_once) {
    batch.clear();
    for (std::size_t i = first; i < std::min(first + at_once, data.size()); ++i) data.add_to(batch, i);
    auto seen = encode(model, session, batch.texts.input(), {.logits = true});
    scorer.add(batch, seen.logits);
  }
  return scorer.score();
}

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/train/impl/task_score.hpp>
#endif
