// What an encoder's head is told to give, and the loss of what it gave.
#pragma once

#include <cstddef>
#include <span>

#include <transept/core/error.hpp>
#include <transept/core/types.hpp>
#include <transept/models/encoder.hpp>
#include <transept/train/loss.hpp>

namespace transept::inline TRANSEPT_ABI {

/// Targets for texts; a head reads those that it has. no_target (−1) counts for nothing.
struct encoder_targets {
  /// masked_lm and pretraining: the word that each token was.
  std::span<const token_id> words = {};
  /// Label of each text (sequence_classification), of each token (token_classification; replaced_tokens:
  /// 1 where another word stood), the right choice of each question (multiple_choice, whose texts are the
  /// choices, as many for each question), or 0 where a text's second part follows its first, else 1
  /// (next_sentence, pretraining).
  std::span<const int> labels = {};
  /// sequence_classification: numbers [texts, labels] in place of labels. The loss is their mean squared
  /// error, or of a model of `multi_label_classification` the mean binary cross-entropy.
  std::span<const float> values = {};
  /// question_answering: at which token of its text each text's answer begins and ends.
  std::span<const int> begins = {}, ends = {};
};

/// Throws argument_error for targets that the head cannot have for these texts: as many as it has outputs,
/// each one of its labels.
TRANSEPT_FUNCTION void check_targets(encoder_head head, std::size_t outputs, std::size_t vocab_size,
                                     const encoder_input& input, const encoder_targets& targets);

/// How the loss of scores is made.
struct scores_loss_settings {
  double weight = 1.0;          ///< of its gradient
  float smoothing = 0.0f;       ///< of labels: what of each one's probability is spread over all
  bool has_many_labels = false; ///< values are 0 or 1 for each label (multi_label_classification)
};

/// The mean loss of scores [tokens or texts, outputs] of any head but words; scores become its gradient.
/// Cross-entropy of labels; of multiple_choice over the choices of a question; of question_answering over the
/// tokens of a text, the mean of both ends; binary cross-entropy of replaced_tokens; as transformers has
/// them. 0 where no target counts.
TRANSEPT_FUNCTION double scores_loss(encoder_head head, std::size_t outputs, const encoder_input& input,
                                     const encoder_targets& targets, float* scores,
                                     const scores_loss_settings& settings = {});

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/train/impl/encoder_loss.hpp>
#endif
