// The shape of the classifier of *Transformers from scratch* (Bloem 2019).
//
//   constexpr transept::text_classifier_config mine{.n_embd = 128, .n_layer = 2, .n_head = 4};
#pragma once

#include <string>

#include <transept/models/encoder_head.hpp>
#include <transept/models/family.hpp>
#include <transept/models/text_classifier/names.hpp>

namespace transept::inline TRANSEPT_ABI {

/// The shape of a classifier of texts.
struct text_classifier_config {
  int n_embd, n_layer, n_head;                                   ///< width, blocks, heads of each
  int vocab_size = 50000;                                        ///< tokens
  int n_positions = 512;                                         ///< longest text
  int n_inner = static_cast<int>(product_of(4, n_embd));         ///< width of a block's network
  int head_width = static_cast<int>(even_share(n_embd, n_head)); ///< of each head
  choice tie_word_embeddings = true;                             ///< there is no output of words
  int n_labels = 2;                                              ///< what texts are told apart by
  choice learns_positions = true;                                ///< a table of positions, or sinusoids

  friend constexpr bool operator==(const text_classifier_config&, const text_classifier_config&) = default;

  /// Of every block's attention.
  constexpr attention_extents attention() const {
    return {.width = n_embd, .heads = n_head, .head_width = head_width, .input_bias = false};
  }

  /// Those beside the eight that all configs have.
  static constexpr auto own_members =
      transept::members_of(member{"n_labels", &text_classifier_config::n_labels},
                           member{"learns_positions", &text_classifier_config::learns_positions});
};

/// Any shape, told at run time.
inline constexpr text_classifier_config any_text_classifier =
    any_of(text_classifier_config{.n_embd = 128, .n_layer = 6, .n_head = 8});

/// What a classifier is at run time besides its shape.
struct text_classifier_settings {
  encoder_head head = encoder_head::sequence_classification; ///< always
  text_pooling pooling = text_pooling::max;                  ///< of a text's hidden states: mean or max
  float layer_norm_epsilon = 1e-5f;                          ///< of all norms
  activation_type activation = activation_type::relu;        ///< of the blocks' networks
  std::string problem_type = {};                             ///< as BERT's
  std::vector<std::string> labels = {};                      ///< what the outputs mean
  std::optional<token_id> bos_token_id = {};                 ///< none
  std::vector<token_id> eos_token_ids = {};                  ///< none

  bool operator==(const text_classifier_settings&) const = default; ///< member by member
};

template <text_classifier_config Config, class Weights>
struct text_classifier;

/// What files say of a classifier.
struct text_classifier_family : family_of<text_classifier_config, text_classifier_settings, text_classifier> {
  /// Of the family, and of its shape in C++.
  static constexpr std::string_view name = "Classifier", config_name = "text_classifier_config";
  static constexpr std::array<std::string_view, 1> model_types{"transept-classifier"}; ///< in config.json

  /// Bloem's.
  static text_classifier_config huggingface_defaults() { return {.n_embd = 128, .n_layer = 6, .n_head = 8}; }

  /// What else a new model has.
  static void begin(text_classifier_config& c, text_classifier_settings& s) {
    if (!s.labels.empty()) c.n_labels = static_cast<int>(s.labels.size());
  }

  /// config.json, field by field: read, or written.
  template <class Fields>
  static void describe(Fields& f, text_classifier_config& c, text_classifier_settings& s) {
    f.architecture("TranseptClassifier");
    describe_sizes(f, c);
    f.epsilon("layer_norm_eps", s.layer_norm_epsilon);
    f.activation("hidden_act", s.activation);
    f.choice("learns_positions", c.learns_positions);
    bool takes_mean = s.pooling == text_pooling::mean;
    f.boolean("mean_pooling", takes_mean);
    s.pooling = takes_mean ? text_pooling::mean : text_pooling::max;
    f.labels(s.labels, c.n_labels);
    f.text("problem_type", s.problem_type);
    if constexpr (Fields::reading) c.n_labels = static_cast<int>(s.labels.size());
    describe_vocabulary(f, c, s, std::nullopt, {});
  }
};

} // namespace transept::inline TRANSEPT_ABI
