// How labels and answers are counted (train/task_score.hpp).
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/train/loss.hpp>
#include <transept/train/task_score.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

TRANSEPT_FUNCTION void task_scorer::add(const task_batch& batch, array<2>& logits) {
  const encoder_input input = batch.texts.input();
  const encoder_targets targets = batch.targets();
  const std::size_t outputs = logits.shape(1);
  check_targets(head_, outputs, std::numeric_limits<int>::max(), input, targets);
  if (has_many_labels_)
    throw argument_error("this model gives a text any number of labels; labelled texts have one each");
  examples_ += input.texts();
  has_values_ = has_values_ || !batch.values.empty();
  const std::size_t before = counted_;
  if (head_ == encoder_head::question_answering)
    add_answers(batch, logits);
  else if (batch.values.empty())
    add_labels(batch, logits);
  else
    counted_ += batch.values.size();
  losses_ +=
      static_cast<double>(counted_ - before) * scores_loss(head_, outputs, input, targets, logits.data());
}

TRANSEPT_FUNCTION void task_scorer::add_labels(const task_batch& batch, const array<2>& logits) {
  std::vector<int> found;
  for (std::size_t row = 0; row < logits.shape(0); ++row) {
    const std::span scores(&logits(row, 0), logits.shape(1));
    found.push_back(static_cast<int>(std::ranges::max_element(scores) - scores.begin()));
    if (batch.labels[row] == no_target) continue;
    ++counted_;
    ++judged_;
    right_ += found.back() == batch.labels[row];
  }
  if (head_ != encoder_head::token_classification) return;
  const encoder_input input = batch.texts.input();
  for (std::size_t text = 0; text < input.texts(); ++text) {
    const std::size_t begin = input.offsets[text], length = input.offsets[text + 1] - begin;
    count_entities(entities_, std::span(found).subspan(begin, length),
                   std::span(batch.labels).subspan(begin, length), labels_);
  }
}

TRANSEPT_FUNCTION void task_scorer::add_answers(const task_batch& batch, const array<2>& logits) {
  constexpr std::size_t most_tokens = 30; // of an answer, as SQuAD's scripts have it
  const encoder_input input = batch.texts.input();
  for (std::size_t text = 0; text < input.texts(); ++text) {
    ++judged_;
    if (batch.begins[text] == no_target) continue; // cut off: it cannot be found
    const std::size_t first = input.offsets[text];
    const auto [context_begin, context_end] = batch.contexts[text];
    std::size_t begin = 0, end = 0;
    float best = -std::numeric_limits<float>::infinity();
    for (std::size_t i = context_begin; i < context_end; ++i)
      for (std::size_t j = i; j < std::min(context_end, i + most_tokens); ++j)
        if (const float score = logits(first + i, 0) + logits(first + j, 1); score > best) {
          best = score;
          begin = i;
          end = j;
        }
    const auto expected_begin = static_cast<std::size_t>(batch.begins[text]);
    const auto expected_end = static_cast<std::size_t>(batch.ends[text]);
    ++counted_;
    right_ += begin == expected_begin && end == expected_end;
    const std::size_t from = std::max(begin, expected_begin), to = std::min(end, expected_end);
    if (from <= to)
      overlaps_ += label_score{.right = to - from + 1,
                               .found = end - begin + 1,
                               .expected = expected_end - expected_begin + 1}
                       .f1();
  }
}

TRANSEPT_FUNCTION task_score task_scorer::score() const {
  const auto share = [](double part, std::size_t of) {
    return of == 0 ? 0.0 : part / static_cast<double>(of);
  };
  task_score score{.examples = examples_, .loss = share(losses_, counted_)};
  if (!has_values_) score.accuracy = share(static_cast<double>(right_), judged_);
  if (head_ == encoder_head::question_answering) score.f1 = share(overlaps_, judged_);
  const auto begins_entity = [](const std::string& label) { return label.starts_with("B-"); };
  if (head_ == encoder_head::token_classification && std::ranges::any_of(labels_, begins_entity))
    score.f1 = entities_.f1();
  return score;
}

} // namespace detail

} // namespace transept::inline TRANSEPT_ABI
