// The trainer of a decoder of any type: next words, and texts that it writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include <training/any_trainer.hpp>

#include <transept/text/tokenizer.hpp>
#include <transept/train/training.hpp>

namespace examples {

class decoder_trainer : public any_trainer {
public:
  /// accumulate_gradients, evaluate of transept/train/training.hpp.
  virtual double accumulate(transept::token_rows tokens, transept::token_rows targets, double weight) = 0;
  virtual double evaluate(transept::token_rows tokens, transept::token_rows targets) = 0;

  /// A text that the model writes after `prompt`, drawn with temperature 0.8.
  virtual std::string sample(const transept::tokenizer& tokenizer, std::string_view prompt,
                             std::size_t tokens, std::uint64_t seed) = 0;
};

/// The trainer of a model in a folder. Throws what transept::visit_model and the trainer do.
std::unique_ptr<decoder_trainer> open_decoder_trainer(const std::filesystem::path& folder,
                                                      const transept::training_options& options);

/// The trainer of a new model with random weights. Throws transept::argument_error for an architecture that
/// is not known, with those that are, and for heads that do not divide the width.
std::unique_ptr<decoder_trainer> make_decoder_trainer(const new_model& model,
                                                      const transept::training_options& options);

} // namespace examples
