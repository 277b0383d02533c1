// BERT (Devlin et al. 2019, "BERT: Pre-training of Deep Bidirectional Transformers for Language
// Understanding") and its relatives as a type: post-norm blocks in which every position sees its whole text.
//
//   x = norm₀(tokens[token] + token_types[type] + positions[position]);
//   for each block: x = norm₁(x + attention(x)), x = norm₂(x + network(x))
#pragma once

#include <cstddef>

#include <transept/models/bert/config.hpp>
#include <transept/models/bert/names.hpp>
#include <transept/models/encoder.hpp>

namespace transept::inline TRANSEPT_ABI {

/// How words are told of hidden states: norm(activation(transform(x))) · tokensᵀ + bias.
template <extent Width, extent TokenWidth, extent Vocabulary, choice There, class Weights = inference_weights>
struct word_head {
  linear<Width, extent_if(There, TokenWidth), true, Weights> transform; ///< [n_embd, token_width]
  layer_norm<TokenWidth, There, There, Weights> norm;                   ///< behind it
  typename Weights::template vector<extent_if(There, Vocabulary)> bias; ///< of the logits

  /// For the walk over parameters.
  static constexpr auto members =
      members_of(member{"transform", &word_head::transform}, member{"norm", &word_head::norm},
                 member{"bias", &word_head::bias});
  /// Numbers in its parameters; those of a `dyn` extent count as 0.
  static constexpr std::size_t parameter_count = decltype(transform)::parameter_count +
                                                 decltype(norm)::parameter_count +
                                                 static_count(extent_if(There, Vocabulary));

  /// With its extents, and no data yet.
  static word_head shaped(extent width, extent token_width, extent vocabulary, choice there) {
    return {decltype(transform)::shaped(width, extent_if(there, token_width)),
            decltype(norm)::shaped(token_width, there, there),
            decltype(bias)::shaped(extent_if(there, vocabulary))};
  }
};

/// A BERT or one of its relatives: `bert<bert_base>`, or `bert<any_bert>`, which runs every shape.
template <bert_config Config, class Weights = inference_weights>
struct bert : model_base<bert_family, Config, Weights> {
  static constexpr extent width = Config.n_embd;            ///< of the hidden states
  static constexpr extent token_width = Config.token_width; ///< of what tokens are looked up as
  static constexpr model_names names = {};                  ///< file_names() has them
  /// Post-norm.
  using block = plain_block<attention<Config.attention(), Weights>, Config.n_inner, Weights>;

  embedding<Config.vocab_size, token_width, matrix_use::table, Weights> tokens;          ///< by id
  embedding<Config.n_token_types, token_width, matrix_use::lookup, Weights> token_types; ///< by type
  embedding<Config.n_positions, token_width, matrix_use::lookup, Weights> positions;     ///< by position
  layer_norm<token_width, true, true, Weights> tokens_norm;                              ///< of their sum
  /// To the width of the hidden states, or nothing.
  linear<token_width, extent_if(Config.projects_tokens, width), true, Weights> project_in;
  block_list<block, Config.n_block> blocks;                                 ///< first to last
  linear<width, extent_if(Config.has_pooler, width), true, Weights> pooler; ///< of first tokens, or nothing
  word_head<width, token_width, Config.vocab_size, Config.has_words, Weights> words; ///< or nothing
  /// [vocab_size, token_width]; without rows where it is tied: words are told by `tokens`.
  untied_output<Config.tie_word_embeddings, Config.vocab_size, token_width, Weights> output;
  linear<width, extent_if(Config.has_next_sentence, 2), true, Weights> next_sentence; ///< or nothing
  linear<width, Config.n_labels, true, Weights> classifier;                           ///< or nothing

  /// The parts with parameters, in the order of the walk.
  static constexpr auto members = members_of(
      member{"tokens", &bert::tokens}, member{"token_types", &bert::token_types},
      member{"positions", &bert::positions}, member{"tokens_norm", &bert::tokens_norm},
      member{"project_in", &bert::project_in}, member{"blocks", &bert::blocks},
      member{"pooler", &bert::pooler}, member{"words", &bert::words}, member{"output", &bert::output},
      member{"next_sentence", &bert::next_sentence}, member{"classifier", &bert::classifier});
  /// Numbers in its parameters; those of a `dyn` extent count as 0.
  static constexpr std::size_t parameter_count =
      decltype(tokens)::parameter_count + decltype(token_types)::parameter_count +
      decltype(positions)::parameter_count + decltype(tokens_norm)::parameter_count +
      decltype(project_in)::parameter_count + block::parameter_count * static_count(Config.n_block) +
      decltype(pooler)::parameter_count + decltype(words)::parameter_count +
      decltype(output)::parameter_count + decltype(next_sentence)::parameter_count +
      decltype(classifier)::parameter_count;

  /// A model whose views have their extents, but no data yet.
  static bert shaped(const bert_config& c = Config) {
    const auto one = block::shaped(c.n_embd, c.attention(), c.n_inner);
    bert model;
    model.config = c;
    model.tokens = decltype(tokens)::shaped(c.vocab_size, c.token_width);
    model.token_types = decltype(token_types)::shaped(c.n_token_types, c.token_width);
    model.positions = decltype(positions)::shaped(c.n_positions, c.token_width);
    model.tokens_norm = decltype(tokens_norm)::shaped(c.token_width);
    model.project_in = decltype(project_in)::shaped(c.token_width, extent_if(c.projects_tokens, c.n_embd));
    model.blocks = repeated<block, Config.n_block>(one, c.n_block);
    model.pooler = decltype(pooler)::shaped(c.n_embd, extent_if(c.has_pooler, c.n_embd));
    model.words = decltype(words)::shaped(c.n_embd, c.token_width, c.vocab_size, c.has_words);
    model.output = decltype(output)::shaped(c.tie_word_embeddings ? 0 : c.vocab_size, c.token_width);
    model.next_sentence = decltype(next_sentence)::shaped(c.n_embd, extent_if(c.has_next_sentence, 2));
    model.classifier = decltype(classifier)::shaped(c.n_embd, c.n_labels);
    return model;
  }

  /// Throws config_error for settings that contradict the shape.
  void prepare() const { bert_family::check(this->config, this->settings); }

  /// The run-time sizes; n_positions is what a text can have.
  decoder_shape shape() const { return shape_of_encoder(this->config, this->settings.first_position); }

  /// How often a block is run: ALBERT's are run several times.
  std::size_t runs() const { return static_cast<std::size_t>(this->config.n_layer); }
  /// Which block is run as `run`: those of a group one after another, the groups each as often.
  std::size_t block_of(std::size_t run) const {
    const auto inner = static_cast<std::size_t>(this->settings.blocks_of_group);
    const std::size_t group =
        run / inner * static_cast<std::size_t>(this->settings.groups) / (runs() / inner);
    return this->settings.model_type == "albert" ? group * inner + run % inner : run;
  }

  /// What files call the parameters.
  model_names file_names() const {
    model_names found = bert_names(this->settings.model_type, this->settings.head);
    found.blocks_of_group = static_cast<std::size_t>(this->settings.blocks_of_group);
    return found;
  }
  /// Epsilon of all norms.
  norm_settings norms() const { return {.epsilon = this->settings.layer_norm_epsilon}; }
};

/// The same for all blocks, which are post-norm ones.
template <bert_config Config>
block_settings settings_of_block(const bert<Config>& model, std::size_t, const position_terms&) {
  return post_norm_settings(model);
}

} // namespace transept::inline TRANSEPT_ABI
