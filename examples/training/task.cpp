#include <training/task.hpp>

#include <string>

#include <common/program.hpp>

#include <transept/core/error.hpp>
#include <transept/io/describe_model.hpp>
#include <transept/models/all.hpp>
#include <transept/models/all_encoders.hpp>

namespace examples {

bool is_of_encoder(const training_settings& s) { return s.task != "generation"; }

bool is_labelled(const training_settings& s) { return is_of_encoder(s) && s.task != "masked"; }

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

transept::training_options options_for(const std::filesystem::path& folder, const training_settings& s,
                                       int threads) {
  const auto files = transept::model_files::open(folder);
  const auto shape = is_of_encoder(s) ? describe_model(transept::all_encoders{}, files).shape
                                      : describe_model(transept::all_models{}, files).shape;
  const std::size_t positions = shape.most_positions();
  if (s.context > positions)
    throw transept::argument_error("--context " + std::to_string(s.context) + ": the model of " +
                                   folder.string() + " has " + std::to_string(positions) + " positions");
  return options_of(s, shape.n_layer, threads);
}

new_model model_of(const training_settings& s, std::size_t vocabulary,
                   std::optional<transept::token_id> end_of_text) {
  return {.architecture = s.architecture,
          .layers = s.layers,
          .heads = s.heads,
          .width = s.width,
          .vocabulary = vocabulary,
          .context = s.positions == 0 ? s.context : s.positions,
          .end_of_text = end_of_text,
          .seed = s.seed};
}

std::unique_ptr<training_task> open_task(const training_settings& s, const std::filesystem::path& run,
                                         const std::filesystem::path& checkpoint, int threads) {
  const auto open = is_labelled(s)       ? open_labelled_texts
                    : s.task == "masked" ? open_masked_words
                                         : open_next_words;
  return open(s, run, checkpoint, threads);
}

} // namespace examples
