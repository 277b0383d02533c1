#include <training/setup.hpp>

#include <string>

#include <common/program.hpp>

#include <transept/core/error.hpp>
#include <transept/io/describe_model.hpp>
#include <transept/models/all.hpp>
#include <transept/train/schedules.hpp>

namespace examples {
namespace {

/// `layers`: of the model.
transept::training_options options_of(const training_settings& s, std::size_t layers, int threads) {
  if (s.train_blocks > layers)
    throw transept::argument_error("--train-blocks " + std::to_string(s.train_blocks) + ": the model has " +
                                   std::to_string(layers));
  const auto rate = static_cast<float>(s.dropout);
  return {.optimizer = {.beta_1 = s.beta_1, .beta_2 = s.beta_2, .weight_decay = s.weight_decay},
          .clip_norm = s.clip,
          .label_smoothing = static_cast<float>(s.label_smoothing),
          .dropout = {.embedding = rate, .attention = rate, .residual = rate, .seed = s.seed},
          .frozen_blocks = s.train_blocks == 0 ? 0 : layers - s.train_blocks,
          .recompute_blocks = s.recompute,
          .products = f32_precision_named(s.products),
          .threads = threads};
}

/// The trainer's options for the model in a folder.
transept::training_options options_for(const std::filesystem::path& folder, const training_settings& s,
                                       int threads) {
  const auto files = transept::model_files::open(folder);
  const auto shape = describe_model(transept::all_models{}, files).shape;
  const std::size_t positions = shape.most_positions();
  if (s.context > positions)
    throw transept::argument_error("--context " + std::to_string(s.context) + ": the model of " +
                                   folder.string() + " has " + std::to_string(positions) + " positions");
  return options_of(s, shape.n_layer, threads);
}

} // namespace

void check_settings(const training_settings& s) {
  if (s.preset == "gpt2" && s.from.empty())
    throw transept::argument_error("--preset gpt2 needs --from FOLDER: the model to go on from");
  if (s.text.empty())
    throw transept::argument_error("--text is missing: the text to learn\n"
                                   "  nanoGPT's Shakespeare, for one: https://raw.githubusercontent.com/"
                                   "karpathy/char-rnn/master/data/tinyshakespeare/input.txt");
  if (!s.from.empty()) (void)options_for(s.from, s, 0);
}

std::function<double(std::size_t)> rate_of(const training_settings& s) {
  if (s.schedule == "cosine")
    return transept::cosine_rate{s.learning_rate, s.least_learning_rate, s.iterations, s.warmup};
  if (s.schedule == "linear")
    return transept::linear_rate{s.learning_rate, s.least_learning_rate, s.iterations, s.warmup};
  if (s.schedule == "inverse-sqrt") return transept::inverse_square_root_rate{s.learning_rate, s.warmup};
  return transept::constant_rate{s.learning_rate, s.warmup};
}

std::unique_ptr<any_trainer> first_trainer(const training_settings& s, const training_data& data,
                                           int threads) {
  if (!s.from.empty()) {
    auto trainer = trainer_in(s.from, s, threads);
    const std::size_t own = trainer->shape().vocab_size, tokens = data.tokenizer.vocabulary_size();
    if (tokens > own && !s.vocabulary.empty())
      throw transept::argument_error("--vocabulary " + s.vocabulary + ": " + std::to_string(tokens) +
                                     " tokens; the model of " + s.from.string() + " has " +
                                     std::to_string(own));
    return trainer;
  }
  return make_trainer({.architecture = s.architecture,
                       .layers = s.layers,
                       .heads = s.heads,
                       .width = s.width,
                       .vocabulary = data.tokenizer.vocabulary_size(),
                       .context = s.context,
                       .end_of_text = data.tokenizer.end_of_text(),
                       .seed = s.seed},
                      options_of(s, s.layers, threads));
}

std::unique_ptr<any_trainer> trainer_in(const std::filesystem::path& folder, const training_settings& s,
                                        int threads) {
  return open_trainer(folder, options_for(folder, s, threads));
}

} // namespace examples
