// The losses of an encoder's heads (train/encoder_loss.hpp).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>

#include <transept/core/error.hpp>
#include <transept/kernels/cross_entropy.hpp>
#include <transept/train/encoder_loss.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

inline void check_target_count(std::size_t found, std::size_t expected, const char* what) {
  if (found != expected)
    throw argument_error("these texts need " + std::to_string(expected) + " targets, one for each " + what +
                         "; got " + std::to_string(found));
}

template <class T>
void check_each_target(std::span<const T> targets, std::size_t outputs) {
  for (const T target : targets)
    if (target != no_target && (target < 0 || static_cast<std::size_t>(target) >= outputs))
      throw argument_error("a target is " + std::to_string(target) + ", but they are from 0 to " +
                           std::to_string(outputs - 1) + " (or −1, which counts for nothing)");
}

/// The mean cross-entropy of rows [targets, classes] of scores, which become its gradient times `weight`.
inline double mean_cross_entropy(std::span<const int> targets, std::size_t classes, float* scores,
                                 const scores_loss_settings& settings) {
  const std::size_t counted = count_targets(targets);
  double total = 0;
  for (std::size_t row = 0; row < targets.size(); ++row, scores += classes) {
    if (targets[row] == no_target)
      std::fill_n(scores, classes, 0.0f);
    else
      total += kernels::cross_entropy_backward(
          scores, classes, static_cast<std::size_t>(targets[row]), settings.smoothing,
          static_cast<float>(settings.weight / static_cast<double>(counted)));
  }
  return counted == 0 ? 0.0 : total / static_cast<double>(counted);
}

/// That of one column of scores [tokens, 2] over the tokens of each text.
inline double mean_position_loss(const encoder_input& input, std::span<const int> targets, std::size_t column,
                                 float* scores, double weight) {
  const std::size_t counted = count_targets(targets);
  double total = 0;
  for (std::size_t s = 0; s < targets.size(); ++s) {
    const std::size_t length = input.offsets[s + 1] - input.offsets[s];
    const auto score = [&](std::size_t t) -> float& { return scores[2 * (input.offsets[s] + t) + column]; };
    if (targets[s] == no_target) {
      for (std::size_t t = 0; t < length; ++t) score(t) = 0.0f;
      continue;
    }
    float greatest = score(0);
    for (std::size_t t = 1; t < length; ++t) greatest = std::max(greatest, score(t));
    double sum = 0;
    for (std::size_t t = 0; t < length; ++t) sum += std::exp(double{score(t)} - greatest);
    const auto target = static_cast<std::size_t>(targets[s]);
    total += std::log(sum) + greatest - score(target);
    for (std::size_t t = 0; t < length; ++t) {
      const double share = std::exp(double{score(t)} - greatest) / sum - (t == target);
      score(t) = static_cast<float>(weight / static_cast<double>(counted) * share);
    }
  }
  return counted == 0 ? 0.0 : total / static_cast<double>(counted);
}

/// −log sigmoid(z) where the target is 1, −log(1 − sigmoid(z)) where it is 0; a negative one does not count.
template <class T>
double mean_binary_cross_entropy(std::span<const T> targets, float* scores, double weight) {
  const auto counted =
      static_cast<double>(std::ranges::count_if(targets, [](T target) { return target >= 0; }));
  double total = 0;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const double z = double{scores[i]}, target = static_cast<double>(targets[i]);
    scores[i] = 0.0f;
    if (target < 0) continue;
    total += std::max(z, 0.0) - z * target + std::log1p(std::exp(-std::abs(z)));
    scores[i] = static_cast<float>(weight / counted * (1 / (1 + std::exp(-z)) - target));
  }
  return counted == 0 ? 0.0 : total / counted;
}

inline double mean_squared_error(std::span<const float> values, float* scores, double weight) {
  const auto count = static_cast<double>(values.size());
  double total = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double difference = double{scores[i]} - double{values[i]};
    total += difference * difference;
    scores[i] = static_cast<float>(weight * 2 * difference / count);
  }
  return total / count;
}

} // namespace detail

TRANSEPT_FUNCTION void check_targets(encoder_head head, std::size_t outputs, std::size_t vocab_size,
                                     const encoder_input& input, const encoder_targets& targets) {
  using enum encoder_head;
  const std::size_t tokens = input.tokens.size(), texts = input.texts();
  if (head == none) throw argument_error("this model has no head, so there is nothing to train towards");
  if (has_words(head)) {
    detail::check_target_count(targets.words.size(), tokens, "token");
    detail::check_each_target(targets.words, vocab_size);
  }
  if (head == masked_lm) return;
  if (head == question_answering) {
    detail::check_target_count(targets.begins.size(), texts, "text's answer");
    detail::check_target_count(targets.ends.size(), texts, "text's answer");
    for (std::size_t s = 0; s < texts; ++s)
      for (const auto& ends : {targets.begins, targets.ends})
        detail::check_each_target(ends.subspan(s, 1), input.offsets[s + 1] - input.offsets[s]);
  } else if (head == multiple_choice) {
    const std::size_t questions = targets.labels.size();
    if (questions == 0 || texts % questions != 0)
      throw argument_error("these " + std::to_string(texts) +
                           " texts are no equal number of choices for each of " + std::to_string(questions) +
                           " questions");
    detail::check_each_target(targets.labels, texts / questions);
  } else if (!targets.values.empty()) {
    if (head != sequence_classification || !targets.labels.empty())
      throw argument_error("values are targets of sequence_classification alone, in place of labels");
    detail::check_target_count(targets.values.size(), texts * outputs, "output of each text");
  } else {
    const bool per_token = is_per_token(head) && !has_words(head);
    detail::check_target_count(targets.labels.size(), per_token ? tokens : texts,
                               per_token ? "token" : "text");
    detail::check_each_target(
        targets.labels, has_words(head) || head == next_sentence || head == replaced_tokens ? 2 : outputs);
  }
}

TRANSEPT_FUNCTION double scores_loss(encoder_head head, std::size_t outputs, const encoder_input& input,
                                     const encoder_targets& targets, float* scores,
                                     const scores_loss_settings& settings) {
  const double weight = settings.weight;
  if (head == encoder_head::question_answering)
    return (detail::mean_position_loss(input, targets.begins, 0, scores, weight / 2) +
            detail::mean_position_loss(input, targets.ends, 1, scores, weight / 2)) /
           2;
  if (head == encoder_head::replaced_tokens)
    return detail::mean_binary_cross_entropy(targets.labels, scores, weight);
  if (head == encoder_head::multiple_choice)
    return detail::mean_cross_entropy(targets.labels, input.texts() / targets.labels.size(), scores,
                                      settings);
  if (targets.values.empty()) return detail::mean_cross_entropy(targets.labels, outputs, scores, settings);
  return settings.has_many_labels ? detail::mean_binary_cross_entropy(targets.values, scores, weight)
                                  : detail::mean_squared_error(targets.values, scores, weight);
}

} // namespace transept::inline TRANSEPT_ABI
