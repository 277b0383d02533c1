// The shapes of BERT (Devlin et al. 2019) and of its relatives: RoBERTa (Liu et al. 2019), DistilBERT (Sanh
// et al. 2019), ALBERT (Lan et al. 2020), ELECTRA (Clark et al. 2020). What they differ in is which
// parameters there are, what files call them, and settings.
//
//   constexpr transept::bert_config tiny{.n_embd = 128, .n_layer = 2, .n_head = 2};
#pragma once

#include <algorithm>
#include <string>

#include <transept/core/function_ref.hpp>
#include <transept/models/bert/names.hpp>
#include <transept/models/encoder_head.hpp>
#include <transept/models/family.hpp>

namespace transept::inline TRANSEPT_ABI {

/// The shape of a BERT, or of one of its relatives.
struct bert_config {
  int n_embd, n_layer, n_head; ///< width of the hidden states, blocks that run, heads of each
  int vocab_size = 30522;      ///< tokens
  int n_positions = 512;       ///< rows of the table of positions
  int n_inner = static_cast<int>(product_of(4, n_embd));         ///< intermediate_size
  int head_width = static_cast<int>(even_share(n_embd, n_head)); ///< of each head
  choice tie_word_embeddings = true; ///< words are told by the matrix that tokens are looked up in
  int token_width = n_embd;          ///< embedding_size: of tokens, their types and positions
  int n_token_types = 2;             ///< parts of a text; 0: no such table (DistilBERT)
  int n_block = n_layer;             ///< blocks with parameters of their own: fewer in ALBERT
  choice projects_tokens = false;    ///< embeddings become hidden states by a linear layer (ALBERT, ELECTRA)
  choice has_pooler = true;          ///< a linear layer before the classifier, or of the first token
  choice has_words = false;          ///< the layers of masked_lm
  choice has_next_sentence = false;  ///< those of next_sentence
  int n_labels = 0;                  ///< outputs of the classifier; 0: there is none

  friend constexpr bool operator==(const bert_config&, const bert_config&) = default;

  /// Of every block's attention.
  constexpr attention_extents attention() const {
    return {.width = n_embd, .heads = n_head, .head_width = head_width};
  }

  /// Those beside the eight that all configs have.
  static constexpr auto own_members = transept::members_of(
      member{"token_width", &bert_config::token_width}, member{"n_token_types", &bert_config::n_token_types},
      member{"n_block", &bert_config::n_block}, member{"projects_tokens", &bert_config::projects_tokens},
      member{"has_pooler", &bert_config::has_pooler}, member{"has_words", &bert_config::has_words},
      member{"has_next_sentence", &bert_config::has_next_sentence},
      member{"n_labels", &bert_config::n_labels});
};

/// BERT base: 109,482,240 parameters.
inline constexpr bert_config bert_base{.n_embd = 768, .n_layer = 12, .n_head = 12};
/// BERT large: 335,141,888 parameters.
inline constexpr bert_config bert_large{.n_embd = 1024, .n_layer = 24, .n_head = 16};
/// RoBERTa base: 124,645,632 parameters.
inline constexpr bert_config roberta_base{
    .n_embd = 768, .n_layer = 12, .n_head = 12, .vocab_size = 50265, .n_positions = 514, .n_token_types = 1};
/// DistilBERT base: 66,362,880 parameters.
inline constexpr bert_config distilbert_base{
    .n_embd = 768, .n_layer = 6, .n_head = 12, .n_token_types = 0, .has_pooler = false};

/// Any shape, told at run time.
inline constexpr bert_config any_bert = any_of(bert_base);

/// What a BERT is at run time besides its shape.
struct bert_settings {
  std::string model_type = "bert";                              ///< one of bert_family::model_types
  encoder_head head = encoder_head::none;                       ///< what it gives
  float layer_norm_epsilon = 1e-12f;                            ///< of all norms
  activation_type activation = activation_type::gelu_erf;       ///< of the blocks' networks
  activation_type pooler_activation = activation_type::tanh;    ///< of the pooler
  activation_type words_activation = activation_type::gelu_erf; ///< of masked_lm's layer
  int first_position = 0;                    ///< row of a text's first position (RoBERTa: 2)
  int groups = 1, blocks_of_group = 1;       ///< ALBERT's
  std::string problem_type = {};             ///< of sequence_classification, where config.json has it
  std::vector<std::string> labels = {};      ///< what the classifier's outputs mean
  std::optional<token_id> pad_token_id = 0;  ///< fills texts up, elsewhere
  std::optional<token_id> bos_token_id = {}; ///< as config.json has it
  std::vector<token_id> eos_token_ids = {};  ///< likewise

  bool operator==(const bert_settings&) const = default; ///< member by member
};

template <bert_config Config, class Weights>
struct bert;

/// What files say of a BERT or of one of its relatives.
struct bert_family : family_of<bert_config, bert_settings, bert> {
  /// Of the family, and of its shape in C++.
  static constexpr std::string_view name = "BERT", config_name = "bert_config";
  /// In config.json.
  static constexpr std::array<std::string_view, 7> model_types{
      "bert", "roberta", "xlm-roberta", "camembert", "distilbert", "albert", "electra"};

  /// BertConfig's; `describe` knows the others'.
  static bert_config huggingface_defaults() { return bert_base; }

  /// What transformers calls a model of this type, without the name of its head.
  static std::string_view class_of(std::string_view model_type) {
    return model_type == "bert"          ? "Bert"
           : model_type == "roberta"     ? "Roberta"
           : model_type == "xlm-roberta" ? "XLMRoberta"
           : model_type == "camembert"   ? "Camembert"
           : model_type == "distilbert"  ? "DistilBert"
           : model_type == "albert"      ? "Albert"
                                         : "Electra";
  }

  /// config.json, field by field: read, or written.
  template <class Fields>
  static void describe(Fields& f, bert_config& c, bert_settings& s) {
    const std::string_view type = s.model_type;
    const bool is_distil = type == "distilbert", is_albert = type == "albert", is_electra = type == "electra";
    f.encoder_head(class_of(type), s.head);
    if (is_electra && s.head == encoder_head::pretraining) s.head = encoder_head::replaced_tokens;
    f.must_be("is_decoder", false, "as a decoder it is not supported");
    f.must_be("add_cross_attention", false, "cross-attention is not supported");
    if constexpr (Fields::reading) begin_reading(c, s);
    f.count({"vocab_size"}, c.vocab_size, config_limits::vocab_size);
    f.count({"max_position_embeddings"}, c.n_positions, config_limits::n_positions);
    const std::string_view width = is_distil ? "dim" : "hidden_size";
    const std::string_view layers = is_distil ? "n_layers" : "num_hidden_layers";
    const std::string_view heads = is_distil ? "n_heads" : "num_attention_heads";
    f.count({width}, c.n_embd, config_limits::width);
    describe_blocks(f, c, s, layers);
    f.count({heads}, c.n_head, config_limits::width);
    f.count({is_distil ? "hidden_dim" : "intermediate_size"}, c.n_inner, config_limits::n_inner);
    f.head_width(width, c.n_embd, heads, c.n_head, c.head_width);
    f.activation(is_distil ? "activation" : "hidden_act", s.activation);
    if (is_distil) {
      f.ignored_boolean("sinusoidal_pos_embds"); // the table is in the file either way
    } else {
      f.count({"type_vocab_size"}, c.n_token_types, config_limits::width);
      f.epsilon("layer_norm_eps", s.layer_norm_epsilon);
      f.must_be_text("position_embedding_type", "absolute",
                     "positions relative to each other are not supported");
    }
    c.projects_tokens = is_albert;
    if (is_albert || is_electra)
      f.count({"embedding_size"}, c.token_width, config_limits::width);
    else
      c.token_width = c.n_embd;
    if (is_electra) c.projects_tokens = c.token_width != c.n_embd;
    if (is_electra && s.head == encoder_head::multiple_choice) {
      f.must_be_text("summary_type", "first", "another summary is not supported");
      f.activation("summary_activation", s.pooler_activation);
    }
    if (is_labelled(s.head)) f.labels(s.labels, c.n_labels);
    f.text("problem_type", s.problem_type);
    f.token("pad_token_id", s.pad_token_id, has_padded_positions(type) ? 1 : 0, c.vocab_size);
    describe_vocabulary(f, c, s, std::nullopt, {});
    if constexpr (Fields::reading) {
      heed_head(c, s);
      if (s.first_position >= c.n_positions)
        f.fail("max_position_embeddings: expected more than " + std::to_string(s.first_position) +
               " (pad_token_id + 1), found " + std::to_string(c.n_positions));
    }
  }

  /// Whether transformers has such a head for models of this type.
  static bool has_head(const bert_settings& s, encoder_head head) {
    const std::string_view type = s.model_type;
    switch (head) {
    case encoder_head::pretraining:
      return type == "bert" || type == "albert";
    case encoder_head::next_sentence:
      return type == "bert";
    case encoder_head::replaced_tokens:
      return type == "electra";
    default:
      return true;
    }
  }

  /// What else a new model has.
  static void begin(bert_config& c, bert_settings& s) {
    const std::string_view type = s.model_type;
    if (type == "distilbert") c.n_token_types = 0;
    if (has_padded_positions(type)) {
      s.pad_token_id = s.pad_token_id.value_or(0);
      c.n_token_types = 1;
      c.n_positions += *s.pad_token_id + 1;
    }
    if (type == "albert") {
      c.token_width = std::min(c.n_embd, 128);
      c.projects_tokens = true;
      c.n_block = 1;
      s.activation = activation_type::gelu_tanh;
    }
    heed_head(c, s);
  }

  /// Gives a shape the parameters that the head of its settings has, and the settings its activations.
  static void heed_head(bert_config& c, bert_settings& s) {
    using enum encoder_head;
    const std::string_view type = s.model_type;
    const bool is_distil = type == "distilbert", is_electra = type == "electra";
    const bool is_roberta = has_padded_positions(type), is_first = !is_distil && !is_electra;
    const auto head = s.head;
    c.has_words = transept::has_words(head);
    c.has_next_sentence = head == pretraining || head == next_sentence;
    c.has_pooler = head == sequence_classification || head == multiple_choice || head == replaced_tokens ||
                   (is_first && (head == none || c.has_next_sentence == choice(true)));
    c.n_labels = is_labelled(head)                                    ? static_cast<int>(s.labels.size())
                 : head == question_answering                         ? 2
                 : head == multiple_choice || head == replaced_tokens ? 1
                                                                      : 0;
    if (!c.has_words) c.tie_word_embeddings = true; // there is no output
    if (is_distil) s.pooler_activation = activation_type::relu;
    if (is_electra && head == sequence_classification) s.pooler_activation = activation_type::gelu_erf;
    if (is_electra && head == replaced_tokens) s.pooler_activation = s.activation;
    s.words_activation = is_roberta || is_electra ? activation_type::gelu_erf : s.activation;
    s.first_position = is_roberta ? s.pad_token_id.value_or(0) + 1 : 0;
  }

  /// Throws config_error where a shape does not have what the head of its settings needs, which heed_head
  /// gives it.
  static void check(const bert_config& c, const bert_settings& s) {
    const auto fail = [](const std::string& what) {
      throw config_error("a BERT's settings contradict its shape: " + what +
                         " (bert_family::heed_head makes them agree)");
    };
    const bool is_next = s.head == encoder_head::pretraining || s.head == encoder_head::next_sentence;
    const bool has_scores = s.head != encoder_head::none && !transept::has_words(s.head) && !is_next;
    if (bool(c.has_words) != transept::has_words(s.head)) fail("has_words");
    if (bool(c.has_next_sentence) != is_next || (is_next && !c.has_pooler)) fail("has_next_sentence");
    if ((c.n_labels > 0) != has_scores) fail("n_labels is " + std::to_string(c.n_labels));
    if (c.token_width != c.n_embd && !c.projects_tokens) fail("token_width is not n_embd");
    if (s.first_position < 0 || s.first_position >= c.n_positions) fail("first_position");
    if (s.model_type == "albert" ? c.n_block != s.groups * s.blocks_of_group : c.n_block != c.n_layer)
      fail("n_block is " + std::to_string(c.n_block));
  }

  /// A model without a head may be without the pooler, too: nothing but its files says so.
  static void heed_tensors(bert_config& c, const bert_settings& s, file_naming naming,
                           function_ref<bool(std::string_view)> has) {
    if (s.head != encoder_head::none || !c.has_pooler) return;
    const model_names names = bert_names(s.model_type, s.head);
    const auto* const line = find_names(names, "pooler.weight");
    const std::string called = naming == file_naming::huggingface
                                   ? detail::huggingface_pattern(names, *line) + ".weight"
                                   : std::string(line->gguf) + ".weight";
    c.has_pooler =
        has(called) || (called.starts_with(names.prefix) && has(called.substr(names.prefix.size())));
  }

  /// Whether a head's outputs are labels that config.json names.
  static bool is_labelled(encoder_head head) {
    return head == encoder_head::sequence_classification || head == encoder_head::token_classification;
  }

private:
  /// RoBERTa's first position stands behind that of padding.
  static bool has_padded_positions(std::string_view type) {
    return type.ends_with("roberta") || type == "camembert";
  }

  /// What transformers' other configuration classes have where nothing is said.
  static void begin_reading(bert_config& c, bert_settings& s) {
    const std::string_view type = s.model_type;
    if (has_padded_positions(type)) {
      c.vocab_size = 50265;
    } else if (type == "distilbert") {
      c = distilbert_base;
    } else if (type == "albert") {
      c = {.n_embd = 4096, .n_layer = 12, .n_head = 64, .vocab_size = 30000, .n_inner = 16384};
      c.token_width = 128;
      s.activation = activation_type::gelu_tanh;
    } else if (type == "electra") {
      c = {.n_embd = 256, .n_layer = 12, .n_head = 4, .token_width = 128};
      s.pooler_activation = activation_type::gelu_erf;
    }
  }

  /// The blocks. ALBERT runs num_hidden_layers times a group of inner_group_num, one of num_hidden_groups.
  template <class Fields>
  static void describe_blocks(Fields& f, bert_config& c, bert_settings& s, std::string_view layers) {
    if (s.model_type != "albert") {
      f.count({layers}, c.n_layer, config_limits::n_layer);
      c.n_block = c.n_layer;
      return;
    }
    int runs = c.n_layer / s.blocks_of_group; // of a group
    f.count({layers}, runs, config_limits::n_layer);
    f.count({"num_hidden_groups"}, s.groups, runs);
    f.count({"inner_group_num"}, s.blocks_of_group, config_limits::n_layer / runs);
    c.n_layer = runs * s.blocks_of_group;
    c.n_block = s.groups * s.blocks_of_group;
  }
};

} // namespace transept::inline TRANSEPT_ABI
