// What Hugging Face and llama.cpp call the parameters of BERT and its relatives.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include <transept/models/encoder_head.hpp>
#include <transept/tensor/names.hpp>

namespace transept::inline TRANSEPT_ABI {

/// The lines of a table of names.
using bert_table = std::array<tensor_names, 18>;

/// A line for each parameter: here, in Hugging Face's files, in GGUF files.
inline constexpr bert_table bert_tensors{{
    {"tokens", ".embeddings.word_embeddings", "token_embd"},
    {"token_types", ".embeddings.token_type_embeddings", "token_types"},
    {"positions", ".embeddings.position_embeddings", "position_embd"},
    {"tokens_norm", ".embeddings.LayerNorm", "token_embd_norm"},
    {"project_in", ".embeddings_project", "project_in"},
    {"blocks.*.attention.query_key_value", ".encoder.layer.*.attention.self.{query,key,value}",
     "blk.*.attn_{q,k,v}"},
    {"blocks.*.attention.output", ".encoder.layer.*.attention.output.dense", "blk.*.attn_output"},
    {"blocks.*.norm_1", ".encoder.layer.*.attention.output.LayerNorm", "blk.*.attn_output_norm"},
    {"blocks.*.network.up", ".encoder.layer.*.intermediate.dense", "blk.*.ffn_up"},
    {"blocks.*.network.down", ".encoder.layer.*.output.dense", "blk.*.ffn_down"},
    {"blocks.*.norm_2", ".encoder.layer.*.output.LayerNorm", "blk.*.layer_output_norm"},
    {"pooler", ".pooler.dense", "cls"},
    {"words.transform", "cls.predictions.transform.dense", "words.transform"},
    {"words.norm", "cls.predictions.transform.LayerNorm", "words.norm"},
    {"words", "cls.predictions", "words"}, // the bias
    {"output", "cls.predictions.decoder", "output"},
    {"next_sentence", "cls.seq_relationship", "next_sentence"},
    {"classifier", "classifier", "cls.output"},
}};

namespace detail {

/// A parameter, and what Hugging Face calls it in another kind of model.
struct other_name_of {
  std::string_view here, huggingface;
};

/// `table` with other names of Hugging Face's.
template <std::size_t N>
constexpr bert_table renamed(bert_table table, const other_name_of (&others)[N]) {
  for (const other_name_of& other : others)
    for (tensor_names& line : table)
      if (line.here == other.here) line.huggingface = other.huggingface;
  return table;
}

/// The classifier of answers, which is called so in all.
inline constexpr other_name_of answers[]{{"classifier", "qa_outputs"}};

/// A classifier of two layers.
inline constexpr other_name_of two_layers[]{{"pooler", "classifier.dense"},
                                            {"classifier", "classifier.out_proj"}};

inline constexpr other_name_of roberta[]{{"words.transform", "lm_head.dense"},
                                         {"words.norm", "lm_head.layer_norm"},
                                         {"words", "lm_head"},
                                         {"output", "lm_head.decoder"}};

inline constexpr other_name_of distilbert[]{
    {"blocks.*.attention.query_key_value", ".transformer.layer.*.attention.{q,k,v}_lin"},
    {"blocks.*.attention.output", ".transformer.layer.*.attention.out_lin"},
    {"blocks.*.norm_1", ".transformer.layer.*.sa_layer_norm"},
    {"blocks.*.network.up", ".transformer.layer.*.ffn.lin1"},
    {"blocks.*.network.down", ".transformer.layer.*.ffn.lin2"},
    {"blocks.*.norm_2", ".transformer.layer.*.output_layer_norm"},
    {"pooler", "pre_classifier"},
    {"words.transform", "vocab_transform"},
    {"words.norm", "vocab_layer_norm"},
    {"words", "vocab_projector"},
    {"output", "vocab_projector"}};

// A number for the group, another for the block in it.
inline constexpr other_name_of albert[]{
    {"project_in", ".encoder.embedding_hidden_mapping_in"},
    {"blocks.*.attention.query_key_value",
     ".encoder.albert_layer_groups.*.albert_layers.*.attention.{query,key,value}"},
    {"blocks.*.attention.output", ".encoder.albert_layer_groups.*.albert_layers.*.attention.dense"},
    {"blocks.*.norm_1", ".encoder.albert_layer_groups.*.albert_layers.*.attention.LayerNorm"},
    {"blocks.*.network.up", ".encoder.albert_layer_groups.*.albert_layers.*.ffn"},
    {"blocks.*.network.down", ".encoder.albert_layer_groups.*.albert_layers.*.ffn_output"},
    {"blocks.*.norm_2", ".encoder.albert_layer_groups.*.albert_layers.*.full_layer_layer_norm"},
    {"pooler", ".pooler"},
    {"words.transform", "predictions.dense"},
    {"words.norm", "predictions.LayerNorm"},
    {"words", "predictions"},
    {"output", "predictions.decoder"},
    {"next_sentence", "sop_classifier.classifier"}};

inline constexpr other_name_of electra[]{{"words.transform", "generator_predictions.dense"},
                                         {"words.norm", "generator_predictions.LayerNorm"},
                                         {"words", "generator_lm_head"},
                                         {"output", "generator_lm_head"}};
inline constexpr other_name_of electra_replaced[]{
    {"pooler", "discriminator_predictions.dense"},
    {"classifier", "discriminator_predictions.dense_prediction"}};
inline constexpr other_name_of electra_choices[]{{"pooler", "sequence_summary.summary"}};

/// The tables of a kind of model: with its usual head, and with those that have other names.
template <const auto& Usual>
struct bert_tables {
  static constexpr bert_table usual = Usual, of_answers = renamed(Usual, answers);
  static constexpr bert_table of_two_layers = renamed(Usual, two_layers);
};

inline constexpr bert_table roberta_table = renamed(bert_tensors, roberta),
                            distilbert_table = renamed(bert_tensors, distilbert),
                            albert_table = renamed(bert_tensors, albert),
                            electra_table = renamed(bert_tensors, electra),
                            electra_replaced_table = renamed(electra_table, electra_replaced),
                            electra_choices_table = renamed(electra_table, electra_choices);

/// That of a head. `has_two_layers`: whether texts are classified by two layers.
template <const auto& Usual>
std::span<const tensor_names> table_for(encoder_head head, bool has_two_layers) {
  using tables = bert_tables<Usual>;
  if (head == encoder_head::question_answering) return tables::of_answers;
  return has_two_layers && head == encoder_head::sequence_classification ? tables::of_two_layers
                                                                         : tables::usual;
}

} // namespace detail

/// What files call the parameters of a model of this type, with this head.
inline model_names bert_names(std::string_view model_type, encoder_head head) {
  if (model_type == "distilbert")
    return {.tensors = detail::table_for<detail::distilbert_table>(head, false), .prefix = "distilbert."};
  if (model_type == "albert")
    return {.tensors = detail::table_for<detail::albert_table>(head, false), .prefix = "albert."};
  if (model_type == "electra")
    return {.tensors = head == encoder_head::replaced_tokens ? detail::electra_replaced_table
                       : head == encoder_head::multiple_choice
                           ? detail::electra_choices_table
                           : detail::table_for<detail::electra_table>(head, true),
            .prefix = "electra."};
  if (model_type != "bert")
    return {.tensors = detail::table_for<detail::roberta_table>(head, true), .prefix = "roberta."};
  return {.tensors = detail::table_for<bert_tensors>(head, false), .prefix = "bert."};
}

} // namespace transept::inline TRANSEPT_ABI
