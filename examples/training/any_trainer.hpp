// The trainer of a model whose type was chosen at run time, behind one interface, so that the program is
// compiled without knowing any model: any_trainer.cpp instantiates each once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <transept/core/element_type.hpp>
#include <transept/text/tokenizer.hpp>
#include <transept/train/training.hpp>

namespace examples {

/// A model to begin with from nothing.
struct new_model {
  std::string architecture; ///< config.json's model_type, or the family's name in C++: "neox"
  std::size_t layers, heads, width;
  std::size_t vocabulary, context;
  std::optional<transept::token_id> end_of_text;
  std::uint64_t seed;
};

class any_trainer {
public:
  virtual ~any_trainer() = default;

  virtual transept::decoder_shape shape() const = 0;
  virtual std::size_t parameter_count() const = 0;
  /// operations_of_step of common/arithmetic.hpp, for this model and what of it is trained.
  virtual double operations(double sequences, double length) const = 0;
  virtual transept::thread_pool& threads() = 0;

  /// accumulate_gradients, optimizer_step, evaluate of transept/train/training.hpp.
  virtual double accumulate(transept::token_rows tokens, transept::token_rows targets, double weight) = 0;
  virtual double update(double rate) = 0;
  virtual double evaluate(transept::token_rows tokens, transept::token_rows targets) = 0;

  /// A text that the model writes after `prompt`, drawn with temperature 0.8.
  virtual std::string sample(const transept::tokenizer& tokenizer, std::string_view prompt,
                             std::size_t tokens, std::uint64_t seed) = 0;

  /// save, save_training_state, load_training_state.
  virtual void save_model(const std::filesystem::path& folder, transept::element_type type) const = 0;
  virtual void save_state(const std::filesystem::path& file,
                          const std::map<std::string, std::string>& metadata) = 0;
  virtual std::map<std::string, std::string> load_state(const std::filesystem::path& file) = 0;
};

/// The trainer of a model in a folder. Throws what transept::visit_model and the trainer do.
std::unique_ptr<any_trainer> open_trainer(const std::filesystem::path& folder,
                                          const transept::training_options& options);

/// The trainer of a new model with random weights. Throws transept::argument_error for an architecture that
/// is not known, with those that are, and for heads that do not divide the width.
std::unique_ptr<any_trainer> make_trainer(const new_model& model, const transept::training_options& options);

} // namespace examples
