// What an encoder's output is: the heads of BERT and its relatives, and what config.json calls them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include <transept/core/version.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A head, and what it gives.
enum class encoder_head : std::uint8_t {
  none,          ///< hidden states alone, and a pooled one where there is a pooler
  masked_lm,     ///< [tokens, vocab_size]: which word a position has
  pretraining,   ///< the same, and for each text two more: whether its second part follows the first
  next_sentence, ///< [texts, 2]: those alone
  sequence_classification, ///< [texts, labels]
  token_classification,    ///< [tokens, labels]
  question_answering,      ///< [tokens, 2]: an answer begins, ends here
  multiple_choice,         ///< [texts, 1]: how good a choice each text is
  replaced_tokens          ///< [tokens, 1]: whether another word stood here (ELECTRA)
};

/// A head, and the last part of the architectures that have it: "ForMaskedLM" of BertForMaskedLM.
struct named_encoder_head {
  encoder_head head;       ///< what it gives
  std::string_view suffix; ///< in config.json's `architectures`, behind the name of the model
};

/// All of them. ELECTRA's ForPreTraining has replaced_tokens.
inline constexpr std::array<named_encoder_head, 8> encoder_head_names{{
    {encoder_head::none, "Model"},
    {encoder_head::masked_lm, "ForMaskedLM"},
    {encoder_head::pretraining, "ForPreTraining"},
    {encoder_head::next_sentence, "ForNextSentencePrediction"},
    {encoder_head::sequence_classification, "ForSequenceClassification"},
    {encoder_head::token_classification, "ForTokenClassification"},
    {encoder_head::question_answering, "ForQuestionAnswering"},
    {encoder_head::multiple_choice, "ForMultipleChoice"},
}};

/// How the hidden states of a text become the one that a head for texts reads.
enum class text_pooling : std::uint8_t {
  first, ///< that of its first token, [CLS]
  mean,  ///< their mean
  max    ///< the greatest of each number
};

/// Whether a head says which word a position has.
constexpr bool has_words(encoder_head head) {
  return head == encoder_head::masked_lm || head == encoder_head::pretraining;
}

/// Whether a head has an output for each token, else one for each text.
constexpr bool is_per_token(encoder_head head) {
  return has_words(head) || head == encoder_head::token_classification ||
         head == encoder_head::question_answering || head == encoder_head::replaced_tokens;
}

} // namespace transept::inline TRANSEPT_ABI
