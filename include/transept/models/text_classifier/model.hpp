// The classifier of *Transformers from scratch* (Bloem 2019, https://peterbloem.nl/blog/transformers) as a
// type: post-norm blocks over a whole text, then the mean, or the greatest, of each number.
//
//   x = tokens[token] + positions[position];
//   for each block: x = norm₁(x + attention(x)), x = norm₂(x + network(x));  scores = classifier(max over x)
#pragma once

#include <cstddef>
#include <vector>

#include <transept/layers/positions/sinusoids.hpp>
#include <transept/models/encoder.hpp>
#include <transept/models/model_base.hpp>
#include <transept/models/text_classifier/config.hpp>
#include <transept/models/text_classifier/names.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A classifier of texts: `text_classifier<mine>`, or `text_classifier<any_text_classifier>`, which runs
/// every shape.
template <text_classifier_config Config, class Weights = inference_weights>
struct text_classifier : model_base<text_classifier_family, Config, Weights> {
  static constexpr model_names names = text_classifier_names; ///< what files call the parameters
  static constexpr extent width = Config.n_embd;              ///< of the hidden states
  /// Post-norm.
  using block = plain_block<attention<Config.attention(), Weights>, Config.n_inner, Weights>;

  embedding<Config.vocab_size, width, matrix_use::lookup, Weights> tokens; ///< [vocab_size, n_embd]
  /// [n_positions, n_embd]; without rows where positions are sinusoids.
  embedding<extent_if(Config.learns_positions, Config.n_positions), width, matrix_use::lookup, Weights>
      positions;
  block_list<block, Config.n_layer> blocks;                 ///< first to last
  linear<width, Config.n_labels, true, Weights> classifier; ///< of a text's pooled hidden states
  std::vector<float> sinusoids;                             ///< [n_positions, n_embd], or nothing

  /// The parts with parameters, in the order of the walk.
  static constexpr auto members = members_of(
      member{"tokens", &text_classifier::tokens}, member{"positions", &text_classifier::positions},
      member{"blocks", &text_classifier::blocks}, member{"classifier", &text_classifier::classifier});

  /// A model whose views have their extents, but no data yet.
  static text_classifier shaped(const text_classifier_config& c = Config) {
    text_classifier model;
    model.config = c;
    model.tokens = decltype(tokens)::shaped(c.vocab_size, c.n_embd);
    model.positions = decltype(positions)::shaped(extent_if(c.learns_positions, c.n_positions), c.n_embd);
    model.blocks =
        repeated<block, Config.n_layer>(block::shaped(c.n_embd, c.attention(), c.n_inner), c.n_layer);
    model.classifier = decltype(classifier)::shaped(c.n_embd, c.n_labels);
    return model;
  }

  /// Fills `sinusoids` where positions are not learned. Throws config_error for a pooling that no file can
  /// name.
  void prepare() {
    if (this->settings.pooling == text_pooling::first)
      throw config_error("a text_classifier takes the mean or the greatest of hidden states, not the first");
    const auto count = static_cast<std::size_t>(this->config.n_positions),
               numbers = static_cast<std::size_t>(this->config.n_embd);
    if (this->config.learns_positions) return;
    sinusoids.resize(count * numbers);
    fill_sinusoids(sinusoid_layout::interleaved, count, numbers, sinusoids.data());
  }

  /// That of a position [n_embd].
  const float* sinusoid(std::size_t position) const {
    return sinusoids.data() + position * static_cast<std::size_t>(this->config.n_embd);
  }

  /// The run-time sizes.
  decoder_shape shape() const { return shape_of_encoder(this->config); }

  /// Epsilon of all norms.
  norm_settings norms() const { return {.epsilon = this->settings.layer_norm_epsilon}; }
};

/// The same for all blocks, which are post-norm ones.
template <text_classifier_config Config>
block_settings settings_of_block(const text_classifier<Config>& model, std::size_t, const position_terms&) {
  return post_norm_settings(model);
}

} // namespace transept::inline TRANSEPT_ABI
