// What encoders are used for: classifying texts, filling in masked words, tagging words, finding answers.
//
//   const auto masks = fill_mask(model, tokenizer, session, text);          // masks[0][0].id
//   const auto labels = classify(model, tokenizer, session, texts);         // probabilities [texts, labels]
//   const auto words = tag(model, tokenizer, session, text);
//   const auto best = answer(model, tokenizer, session, question, context).front();
//
// A model is one of the library's encoders with the head that the task needs, or anything that encode() takes
// like one and that has their `settings`.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/core/types.hpp>
#include <transept/encode/encode.hpp>
#include <transept/encode/encoder_session.hpp>
#include <transept/text/encoded_text.hpp>
#include <transept/text/tokenizer.hpp>

namespace transept::inline TRANSEPT_ABI {

// ---- Words ------------------------------------------------------------------------------------------------

/// A token that may stand where a text is masked.
struct scored_word {
  token_id id;       ///< of the token
  float probability; ///< that it stands there
};

namespace detail {

/// Throws argument_error unless the model has this head. `what` it is needed for: "fill_mask".
TRANSEPT_FUNCTION void check_head(encoder_head has, encoder_head needed, const char* what);

/// The tokens of a text with a [MASK], or whatever the vocabulary calls it, and where those are.
struct masked_text {
  text_batch texts;
  std::vector<std::size_t> places;
};
TRANSEPT_FUNCTION masked_text masked_tokens(const tokenizer& tokenizer, std::string_view text,
                                            std::size_t most_tokens);

/// The likeliest `top` of logits, likeliest first; of equals the one with the smaller id.
TRANSEPT_FUNCTION std::vector<scored_word> likeliest(std::span<const float> logits, std::size_t top);

/// Each row [columns] becomes its softmax.
TRANSEPT_FUNCTION void softmax_rows(array<2>& scores);

} // namespace detail

/// The likeliest `top` words for every mask in a text. Throws argument_error for a text without one, or a
/// vocabulary without such a token; context_error for a text that is too long.
template <class Model>
std::vector<std::vector<scored_word>> fill_mask(const Model& model, const tokenizer& tokenizer,
                                                encoder_session& session, std::string_view text,
                                                std::size_t top = 10) {
  if (!has_words(model.settings.head))
    detail::check_head(model.settings.head, encoder_head::masked_lm, "fill_mask");
  const auto masked = detail::masked_tokens(tokenizer, text, model.shape().n_positions);
  const auto seen = encode(model, session, masked.texts.input(), {.logits = true});
  std::vector<std::vector<scored_word>> words;
  for (const std::size_t place : masked.places)
    words.push_back(detail::likeliest(std::span(&seen.logits(place, 0), seen.logits.shape(1)), top));
  return words;
}

// ---- Texts ------------------------------------------------------------------------------------------------

/// Probabilities [texts, labels] of each label for each text (of two parts where `seconds` are given, as
/// many): their softmax, or for a model of `multi_label_classification`, or of one label, of each label
/// alone; of a `regression` the numbers themselves, as transformers' pipeline has them. Texts that are too
/// long are cut. Throws argument_error for a model without that head; as encode_input and encode do.
template <class Model>
array<2> classify(const Model& model, const tokenizer& tokenizer, encoder_session& session,
                  std::span<const std::string> texts, std::span<const std::string> seconds = {});

namespace detail {

/// The tokens of texts, cut to what a model takes.
TRANSEPT_FUNCTION text_batch tokens_of_texts(const tokenizer& tokenizer, std::span<const std::string> texts,
                                             std::span<const std::string> seconds, std::size_t most_tokens);

/// Scores of labels become probabilities.
TRANSEPT_FUNCTION void to_probabilities(array<2>& scores, std::string_view problem_type);

} // namespace detail

template <class Model>
array<2> classify(const Model& model, const tokenizer& tokenizer, encoder_session& session,
                  std::span<const std::string> texts, std::span<const std::string> seconds) {
  detail::check_head(model.settings.head, encoder_head::sequence_classification, "classify");
  const text_batch batch = detail::tokens_of_texts(tokenizer, texts, seconds, model.shape().n_positions);
  array<2> scores = encode(model, session, batch.input(), {.logits = true}).logits;
  detail::to_probabilities(scores, model.settings.problem_type);
  return scores;
}

// ---- Words of a text --------------------------------------------------------------------------------------

/// A word of a text and its label: that of the word's first token.
struct tagged_word {
  text_span span;    ///< where it is in the text
  std::size_t label; ///< which
  float probability; ///< of that
};

/// Words that belong together, by labels that begin with B- (a first word) and I- (one more).
struct tagged_entity {
  text_span span;    ///< from the first word's begin to the last one's end
  std::string label; ///< without B- or I-
  float probability; ///< the mean of the words'
};

namespace detail {

/// Tokens with their types and spans, and the first token of each word.
struct words_of_text {
  encoded_input input;
  std::vector<std::size_t> first_tokens;
  std::vector<text_span> spans; ///< of the words
};
TRANSEPT_FUNCTION words_of_text words_of(const tokenizer& tokenizer, std::string_view text,
                                         std::size_t most_tokens);

TRANSEPT_FUNCTION std::vector<tagged_word> tagged_words(const words_of_text& words, const array<2>& logits);

} // namespace detail

/// The words of a text, each with its likeliest label. Where tokens join without space between letters or
/// digits they are one word. Throws context_error for a text that is too long; argument_error for a model
/// without that head; as encode_input and encode do.
template <class Model>
std::vector<tagged_word> tag(const Model& model, const tokenizer& tokenizer, encoder_session& session,
                             std::string_view text) {
  detail::check_head(model.settings.head, encoder_head::token_classification, "tag");
  const auto words = detail::words_of(tokenizer, text, model.shape().n_positions);
  if (words.first_tokens.empty()) return {};
  text_batch batch;
  batch.add(words.input.ids, words.input.token_types);
  return detail::tagged_words(words, encode(model, session, batch.input(), {.logits = true}).logits);
}

/// Entities of tagged words, as seqeval counts them: B-X begins one, I-X goes on with one of X and else
/// begins one, a label without either is one of its own with its equal neighbours; "O" is none.
TRANSEPT_FUNCTION std::vector<tagged_entity> find_entities(std::span<const tagged_word> words,
                                                           std::span<const std::string> labels);

// ---- Answers ----------------------------------------------------------------------------------------------

/// Part of a text that may answer a question.
struct scored_answer {
  text_span span;    ///< where it is in the text: whole words
  float probability; ///< among all that the part of the text it stands in could answer, "nothing" too
};

/// What answer may be told. As in transformers' pipeline.
struct answer_options {
  std::size_t top = 1;           ///< how many answers
  std::size_t most_tokens = 15;  ///< of an answer
  std::size_t part_tokens = 384; ///< of a part of a long text with the question; the model's length at most
  std::size_t stride = 128;      ///< tokens that neighbouring parts of a long text share
};

namespace detail {

/// A question with parts of a text, each as long as a model takes.
struct question_parts {
  text_batch texts;
  std::vector<encoded_input> inputs;
};
TRANSEPT_FUNCTION question_parts parts_of_question(const tokenizer& tokenizer, std::string_view question,
                                                   std::string_view text, std::size_t most_tokens,
                                                   std::size_t stride);

/// A span without the white space around it, and with the rest of the words that it cuts.
TRANSEPT_FUNCTION text_span whole_words(std::string_view text, text_span span);

TRANSEPT_FUNCTION std::vector<scored_answer> best_answers(const question_parts& parts, std::string_view text,
                                                          const array<2>& logits,
                                                          const answer_options& options);

} // namespace detail

/// The parts of a text that most likely answer a question, likeliest first; no two of them overlap. A text
/// that is too long is looked at in parts. Throws argument_error for a model without that head, a question
/// that leaves no room for a text, or options that are 0; as encode_input and encode do.
template <class Model>
std::vector<scored_answer> answer(const Model& model, const tokenizer& tokenizer, encoder_session& session,
                                  std::string_view question, std::string_view text,
                                  const answer_options& options = {}) {
  detail::check_head(model.settings.head, encoder_head::question_answering, "answer");
  const auto parts = detail::parts_of_question(
      tokenizer, question, text, std::min(options.part_tokens, model.shape().n_positions), options.stride);
  const auto seen = encode(model, session, parts.texts.input(), {.logits = true});
  return detail::best_answers(parts, text, seen.logits, options);
}

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/encode/impl/text_tasks.hpp>
#endif
