// The trainer of an encoder of any type, with any head.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <training/any_trainer.hpp>

#include <transept/encode/encoder_session.hpp>
#include <transept/models/encoder.hpp>
#include <transept/train/encoder_loss.hpp>
#include <transept/train/task_data.hpp>
#include <transept/train/task_score.hpp>
#include <transept/train/training.hpp>

namespace examples {

/// The head that a model is to have.
struct wanted_head {
  transept::encoder_head head;
  std::vector<std::string> labels = {}; ///< of one that classifies
  bool is_regression = false;
};

/// What a new encoder is told besides new_model.
struct new_encoder {
  wanted_head head;
  transept::text_pooling pooling = transept::text_pooling::max; ///< of a classifier from nothing
  bool has_sinusoids = false;                                   ///< the same: positions are not learned
  transept::token_id padding = 0;                               ///< where files must name it
};

class encoder_trainer : public any_trainer {
public:
  /// accumulate_gradients, evaluate of transept/train/encoder_training.hpp.
  virtual double accumulate(const transept::encoder_input& input, const transept::encoder_targets& targets,
                            double weight) = 0;
  virtual double evaluate(const transept::encoder_input& input, const transept::encoder_targets& targets) = 0;

  /// score_task.
  virtual transept::task_score score(const transept::task_data& data) = 0;
};

/// The trainer of the model in a folder: with the head that it has, or with another. Throws what
/// transept::visit_model and the trainer do.
std::unique_ptr<encoder_trainer> open_encoder_trainer(const std::filesystem::path& folder,
                                                      const transept::training_options& options);
std::unique_ptr<encoder_trainer> open_encoder_trainer(const std::filesystem::path& folder,
                                                      const wanted_head& head, std::uint64_t seed,
                                                      const transept::training_options& options);

/// The trainer of a new model with random weights. Throws as make_decoder_trainer.
std::unique_ptr<encoder_trainer> make_encoder_trainer(const new_model& model, const new_encoder& more,
                                                      const transept::training_options& options);

} // namespace examples
